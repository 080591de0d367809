import { join } from 'node:path'

/** Where one run of a world build works. Nothing but `container` is ever written by a container. */
export interface RunDirectory {
  top: string
  /** what is archived: holds binpkgs/ etc-portage/ var-lib-portage/ */
  tree: string
  packages: string
  etcPortage: string
  varLibPortage: string
  /** what is bound writable; its content is not to be trusted */
  container: { packages: string; etcPortage: string; logs: string }
}

export function runDirectory(top: string): RunDirectory {
  const tree = join(top, 'tree')
  return {
    top,
    tree,
    packages: join(tree, 'binpkgs'),
    etcPortage: join(tree, 'etc-portage'),
    varLibPortage: join(tree, 'var-lib-portage'),
    container: {
      packages: join(top, 'container/binpkgs'),
      etcPortage: join(top, 'container/etc-portage'),
      logs: join(top, 'container/logs'),
    },
  }
}
