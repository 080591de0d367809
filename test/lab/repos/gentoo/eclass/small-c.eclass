# @ECLASS: small-c.eclass
# @BLURB: what C packages without a configure script have in common

small-c_make() {
	emake CC="${CHOST}-gcc" AR="${CHOST}-ar" RANLIB="${CHOST}-ranlib" CFLAGS="${CFLAGS}" "$@"
}

# @USAGE: <soname> <source>… [linker option]…
small-c_shared() {
	local soname=${1}
	shift
	set -- "${CHOST}-gcc" ${CFLAGS} ${LDFLAGS} -fPIC -shared -Wl,-soname,"${soname}" -o "${soname}" "$@"
	echo "$@"
	"$@" || die "${soname} does not compile"
}

# @USAGE: <program> <source>… [linker option]…
small-c_program() {
	local program=${1}
	shift
	set -- "${CHOST}-gcc" ${CFLAGS} ${LDFLAGS} -o "${program}" "$@"
	echo "$@"
	"$@" || die "${program} does not compile"
}

# Leaves no static library where nobody asked for one.
small-c_static() {
	use static-libs || rm -f "${ED}"/usr/lib/*.a || die
}
