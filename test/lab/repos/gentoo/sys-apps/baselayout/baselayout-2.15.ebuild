EAPI=8

DESCRIPTION="What a system is never without"
HOMEPAGE="https://www.example.org/"

LICENSE="GPL-2"
SLOT="0"
KEYWORDS="amd64"

S=${WORKDIR}

src_install() {
	newconfd - baselayout <<<"# nothing to set"
	echo "Gentoo Base System release ${PV}" > "${T}"/gentoo-release || die
	insinto /etc
	doins "${T}"/gentoo-release
}
