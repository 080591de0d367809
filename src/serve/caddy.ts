import { FOREVER, plainDirectory, REPO_FILE, servedDirectory, TREE, webAddress } from './server.js'
import type { Publisher } from './server.js'

/**
 * A site for Caddy 2 that serves what nginxConfiguration serves. Caddy gets certificates itself where publisher.http
 * is https.
 * @throws PATH_UNSUPPORTED
 */
export function caddyConfiguration(publisher: Publisher): string {
  const directory = servedDirectory(publisher)
  const address = webAddress(publisher)
  const site =
    address === undefined ? 'http://' : `${address.secure ? 'https' : 'http'}://${address.host}:${address.port}`
  const prefix = (address?.path ?? '').replace(/[.+]/g, '\\$&')
  return `# site of a treeswap publisher, for Caddy 2
${site} {
	root * ${directory}

	# what is published now
	@binpkgs {
		method GET HEAD
		path_regexp binpkgs ^${prefix}/binpkgs/(${TREE})/(.+)$
	}
	handle @binpkgs {
		rewrite * /{re.binpkgs.1}/.binpkgs/{re.binpkgs.2}
		header Cache-Control no-cache
		file_server
	}

	# pacman repos
	@pacman {
		method GET HEAD
		path_regexp pacman ^${prefix}/pacman/(${TREE})/os/(${REPO_FILE})$
	}
	handle @pacman {
		rewrite * /{re.pacman.1}/os/{re.pacman.2}
		header Cache-Control no-cache
		file_server
	}

	# one generation, for clients that began with its index
	@generations {
		method GET HEAD
		path_regexp generations ^${prefix}/generations/(${TREE})/([1-9][0-9]*)/(.+)$
	}
	handle @generations {
		rewrite * /.generations/{re.generations.1}.{re.generations.2}/.binpkgs/{re.generations.3}
		header Cache-Control "public, max-age=${FOREVER}, immutable"
		file_server
	}

	handle {
		respond 404
	}
}
`
}

/** What a site of an uploaded copy is made from. */
export interface UploadedSite {
  /** directory on that host that holds the trees */
  directory: string
  /** base URL under which its clients find the trees, without a slash at its end */
  url: string
}

/**
 * A site for Caddy 2 on a plain web host to which pacman repos are uploaded: each at `URL/TREE/os/ARCH/`.
 * @throws PATH_UNSUPPORTED
 */
export function uploadedCaddyConfiguration({ directory, url }: UploadedSite): string {
  const address = webAddress({ root: '/', http: url })
  const site = `${address?.secure === true ? 'https' : 'http'}://${address?.host ?? ''}:${address?.port ?? 80}`
  const prefix = (address?.path ?? '').replace(/[.+]/g, '\\$&')
  return `# site of a web host to which treeswap uploads, for Caddy 2
${site} {
	root * ${plainDirectory(directory)}

	@pacman {
		method GET HEAD
		path_regexp pacman ^${prefix}/(${TREE})/os/(${REPO_FILE})$
	}
	handle @pacman {
		rewrite * /{re.pacman.1}/os/{re.pacman.2}
		header Cache-Control no-cache
		file_server
	}

	handle {
		respond 404
	}
}
`
}
