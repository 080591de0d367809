import { FOREVER, REPO_FILE, servedDirectory, TREE, webAddress } from './server.js'
import type { Publisher } from './server.js'

/**
 * A server block for nginx 1.18 and later: binary packages at `/binpkgs/TREE/`, and at `/generations/TREE/SERIAL/`,
 * where they never change; pacman repos at `/pacman/TREE/os/ARCH/`. Nothing else can be reached.
 * @throws PATH_UNSUPPORTED
 */
export function nginxConfiguration(publisher: Publisher): string {
  const directory = servedDirectory(publisher)
  const { secure, host, port, path } = webAddress(publisher) ?? { secure: false, host: '_', port: 80, path: '' }
  const prefix = path.replace(/[.+]/g, '\\$&')
  return `# server block of a treeswap publisher, for nginx
server {
${addresses(host, port)
  .map((address) => `    listen ${address}${secure ? ' ssl' : ''};\n`)
  .join('')}    server_name ${host};
${secure ? '    # ssl_certificate and ssl_certificate_key have to be added here\n' : ''}
    # a cached file handle would mix two generations
    open_file_cache off;
    types { }
    default_type application/octet-stream;
    gzip off;
    autoindex off;

    location / {
        return 404;
    }

    # what is published now; tree names hold no slash, and nginx has resolved ".." before it looks here
    location ~ ^${prefix}/binpkgs/(?<tree>${TREE})/(?<file>.+)$ {
        alias ${directory}/$tree/.binpkgs/$file;
        # the tree's own link is the only one that is followed
        disable_symlinks on from=${directory}/$tree;
        add_header Cache-Control no-cache;
    }

    # pacman repos
    location ~ ^${prefix}/pacman/(?<tree>${TREE})/os/(?<file>${REPO_FILE})$ {
        alias ${directory}/$tree/os/$file;
        disable_symlinks on from=${directory}/$tree;
        add_header Cache-Control no-cache;
    }

    # one generation, for clients that began with its index
    location ~ ^${prefix}/generations/(?<tree>${TREE})/(?<serial>[1-9][0-9]*)/(?<file>.+)$ {
        alias ${directory}/.generations/$tree.$serial/.binpkgs/$file;
        disable_symlinks on from=${directory};
        add_header Cache-Control "public, max-age=${FOREVER}, immutable";
    }
}
`
}

function addresses(host: string, port: number): string[] {
  const loopback = host === 'localhost' || /^127\.[0-9.]+$/.test(host)
  return loopback ? [`127.0.0.1:${port}`] : [String(port), `[::]:${port}`]
}
