// Compiles src/main.ts and src/root-main.ts, each with everything it imports, into files that need nothing but Node.
import { appendFileSync, chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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

/** Names, versions and licences of the libraries that went into a bundle, by name. */
function librariesOf({ inputs }) {
  const names = Object.keys(inputs).map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.slice(0, 2))
  const directories = new Map(names.filter(Boolean).map(([directory, name]) => [name, directory]))
  return [...directories].sort().map(([name, directory]) => {
    const { version, license, homepage } = JSON.parse(readFileSync(`${directory}package.json`, 'utf8'))
    const file = readdirSync(directory).find((one) => /^licen[cs]e/i.test(one))
    const text = file === undefined ? '' : readFileSync(`${directory}${file}`, 'utf8').trim()
    return { title: [name, version, license, homepage].filter(Boolean).join(' '), text }
  })
}

/** The bundle names the libraries in it, under their own licences; a file beside it has the licences' texts. */
function addLicences(outfile, metafile) {
  const libraries = librariesOf(metafile)
  const file = outfile.replace(/mjs$/, 'licenses.txt')
  const rule = '='.repeat(80)
  writeFileSync(file, libraries.map(({ title, text }) => `${rule}\n${title}\n${rule}\n${text}\n`).join('\n'))
  const lines = libraries.map(({ title }) => ` * ${title}`)
  appendFileSync(
    outfile,
    `/*!\n * Contains these libraries, bundled from the sources of treeswap by scripts/bundle.mjs; texts of licences:\n * ${file.split('/').at(-1)}\n${lines.join('\n')}\n */\n`,
  )
}

for (const { entry, outfile, start } of bundles) {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
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
  addLicences(outfile, metafile)
  chmodSync(outfile, 0o755)
}
