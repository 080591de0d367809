package treeswap;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/** Everything that a restart of the server has to survive. */
final class Program implements Serializable {
    private static final long serialVersionUID = 1L;

    /** the job's script, then the bodies it is in */
    final ArrayList<Frame> frames = new ArrayList<>();
    /** the binding's variables */
    final Map<String, Object> variables = new LinkedHashMap<>();
    /** the step that is about to begin */
    StepCall pending;

    Frame top() {
        return frames.get(frames.size() - 1);
    }

    Frame pop() {
        return frames.remove(frames.size() - 1);
    }

    byte[] save() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(this);
        }
        return bytes.toByteArray();
    }

    static Program load(byte[] bytes, ClassLoader loader) throws IOException, ClassNotFoundException {
        try (ObjectInputStream in = new LoaderInput(new ByteArrayInputStream(bytes), loader)) {
            return (Program) in.readObject();
        }
    }

    private static final class LoaderInput extends ObjectInputStream {
        private final ClassLoader loader;

        LoaderInput(InputStream in, ClassLoader loader) throws IOException {
            super(in);
            this.loader = loader;
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass description) throws IOException, ClassNotFoundException {
            try {
                return Class.forName(description.getName(), false, loader);
            } catch (ClassNotFoundException missing) {
                return super.resolveClass(description);
            }
        }
    }
}
