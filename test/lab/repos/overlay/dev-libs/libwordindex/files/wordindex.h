#ifndef WORDINDEX_H
#define WORDINDEX_H

#include <stdio.h>

/* Writes an index of lines "word value" to a file; 0, or -1 on error. */
int wordindex_build(const char *file, FILE *lines);

/* The word's value, to be freed; NULL where there is none. */
char *wordindex_find(const char *file, const char *word);

#endif
