#include "wordindex.h"

#include <cdb.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

static char *fold(const char *word)
{
	return (char *)utf8proc_NFKC_Casefold((const utf8proc_uint8_t *)word);
}

int wordindex_build(const char *file, FILE *lines)
{
	char word[256], value[256];
	struct cdb_make index;
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || cdb_make_start(&index, fd) != 0)
		return -1;
	while (fscanf(lines, "%255s %255s", word, value) == 2) {
		char *key = fold(word);

		if (key == NULL || cdb_make_add(&index, key, strlen(key), value, strlen(value)) != 0)
			return -1;
		free(key);
	}
	return cdb_make_finish(&index) == 0 && close(fd) == 0 ? 0 : -1;
}

char *wordindex_find(const char *file, const char *word)
{
	char *key = fold(word), *value = NULL;
	int fd = open(file, O_RDONLY);
	unsigned length = 0;

	if (key != NULL && fd >= 0 && cdb_seek(fd, key, strlen(key), &length) > 0) {
		value = calloc(1, length + 1);
		if (value != NULL && cdb_bread(fd, value, length) != 0)
			value[0] = 0;
	}
	if (fd >= 0)
		close(fd);
	free(key);
	return value;
}
