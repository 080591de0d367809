// Compiles src/main.ts and src/root-main.ts, each with everything it imports, into files that need nothing but Node.
import { chmodSync, readFileSync } from 'node:fs'
import { build } from 'esbuild'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/**
 * The root program begins as a shell script, which JavaScript reads as a string and a comment: whatever PATH,
 * NODE_OPTIONS and the rest of the caller's environment say is gone before Node starts.
 */
const cleanStart = [
  '#!/bin/sh',
  `':' //; exec /usr/bin/env -i PATH=${path} SUDO_UID="$SUDO_UID" SUDO_GID="$SUDO_GID" SUDO_USER="$SUDO_USER" node -- "$0" "$@"`,
]

const bundles = [
  { entry: 'src/main.ts', outfile: 'dist/treeswap.mjs', start: ['#!/usr/bin/env node'] },
  { entry: 'src/root-main.ts', outfile: 'dist/treeswap-root.mjs', start: cleanStart },
]

/** What is compiled for one machine: ssh2 does without, and has its own JavaScript for it. */
const withoutNatives = {
  name: 'without-natives',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^cpu-features$|\.node$/ }, ({ path }) => ({ path, namespace: 'native' }))
    onLoad({ filter: /./, namespace: 'native' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not bundled`)})`,
    }))
  },
}

for (const { entry, outfile, start } of bundles) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    legalComments: 'none',
    plugins: [withoutNatives],
    define: { TREESWAP_VERSION: JSON.stringify(version) },
    banner: {
      js: [
        ...start,
        "import { createRequire as __createRequire } from 'node:module'",
        "import { fileURLToPath as __fileURLToPath } from 'node:url'",
        'const require = __createRequire(import.meta.url)',
        'const __filename = __fileURLToPath(import.meta.url)',
        "const __dirname = __fileURLToPath(new URL('.', import.meta.url))",
      ].join('\n'),
    },
  })
  chmodSync(outfile, 0o755)
}
