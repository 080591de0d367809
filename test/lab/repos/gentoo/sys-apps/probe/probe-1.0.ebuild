EAPI=8

inherit small-c

DESCRIPTION="A program under two names, one of its files with a capability"
HOMEPAGE="https://www.example.org/"

LICENSE="MIT"
SLOT="0"
KEYWORDS="amd64"

S=${WORKDIR}

src_compile() {
	echo 'int main(void) { return 0; }' > probe.c || die
	small-c_program probe probe.c
}

src_install() {
	dobin probe
	ln "${ED}"/usr/bin/probe "${ED}"/usr/bin/probe-again || die
	newbin probe probe-raw
}

pkg_postinst() {
	setcap cap_net_raw+ep "${EROOT}"/usr/bin/probe-raw || die "the capability cannot be set"
}
