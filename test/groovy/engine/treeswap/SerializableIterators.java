package treeswap;

import java.io.Serializable;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Groovy category: loops with steps inside need iterators that can be saved, as Jenkins provides them. */
public final class SerializableIterators {
    private SerializableIterators() {}

    public static <T> Iterator<T> iterator(List<T> list) {
        return new Copied<>(list);
    }

    public static <T> Iterator<T> iterator(Set<T> set) {
        return new Copied<>(set);
    }

    public static <K, V> Iterator<Map.Entry<K, V>> iterator(Map<K, V> map) {
        return new Copied<>(entrySet(map));
    }

    public static <K, V> Collection<Map.Entry<K, V>> entrySet(Map<K, V> map) {
        Set<Map.Entry<K, V>> copy = new LinkedHashSet<>();
        for (Map.Entry<K, V> entry : map.entrySet()) copy.add(new AbstractMap.SimpleImmutableEntry<>(entry));
        return copy;
    }

    private static final class Copied<T> implements Iterator<T>, Serializable {
        private static final long serialVersionUID = 1L;

        private final ArrayList<T> items;
        private int next;

        Copied(Collection<T> items) {
            this.items = new ArrayList<>(items);
        }

        @Override
        public boolean hasNext() {
            return next < items.size();
        }

        @Override
        public T next() {
            return items.get(next++);
        }
    }
}
