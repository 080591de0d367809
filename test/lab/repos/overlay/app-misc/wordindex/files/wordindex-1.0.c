#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wordindex.h>

/* wordindex FILE WORD: index of what stands on standard input, then the value of WORD. */
int main(int count, char **arguments)
{
	char *value;

	if (count != 3 || wordindex_build(arguments[1], stdin) != 0)
		return 2;
	value = wordindex_find(arguments[1], arguments[2]);
	printf("wordindex 1.0: %s = %s\n", arguments[2], value == NULL ? "?" : value);
	return value == NULL;
}
