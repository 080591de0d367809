import { servedDirectory } from './server.js'
import type { Publisher } from './server.js'

/** 65534 is `nobody` and its group on Linux; numbers, because Debian and Gentoo name the group differently. */
const NOBODY = 65_534

/**
 * rsyncd.conf for rsync 3.2.7 and later (rsyncd.conf(5)): ebuild repos at `rsync://HOST/repos/TREE/REPO/`, profile and
 * world at `rsync://HOST/profiles/TREE/.profile/`.
 * @throws PATH_UNSUPPORTED
 */
export function rsyncdConfiguration(publisher: Publisher): string {
  const path = servedDirectory(publisher)
  const port = publisher.rsync === undefined ? '' : new URL(publisher.rsync).port
  return `# rsyncd.conf of a treeswap publisher, for an rsync daemon that is started by root
# A client enters a generation once and stays in it while the next one is published: this needs the chroot.
use chroot = yes
uid = ${NOBODY}
gid = ${NOBODY}
read only = yes
munge symlinks = no
reverse lookup = no
max connections = 100
timeout = 600
dont compress = *
${port === '' ? '' : `port = ${port}\n`}
[repos]
    comment = ebuild repos: TREE/REPO/
    path = ${path}
    # generations, packages and profiles have names that begin with a dot
    exclude = /.* /*/.*

[profiles]
    comment = profile and world: TREE/.profile/
    path = ${path}
    include = /*/.profile
    exclude = /.* /*/*
`
}
