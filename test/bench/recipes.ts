/**
 * `npm run bench:recipes [-- --quick]`: a repo of 50 recipes is built once; then nothing changes. Prints how long the
 * runs without news take, and how many containers they start. Needs root.
 */
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { ArchSite, recipe } from '../e2e/arch-site.js'
import { CountedPrograms } from '../e2e/features/counted.js'

const ROUNDS = 3
const RECIPES = process.argv.includes('--quick') ? 10 : 50

execFileSync(process.execPath, [new URL('../../scripts/bundle.mjs', import.meta.url).pathname])
const site = await ArchSite.create(`repositories: [{ url: PATH/git/recipes }]`)
try {
  const files = Array.from({ length: RECIPES }, (_, index) => {
    const lines = index % 5 === 0 ? '' : `depends=(part-${index - (index % 5)})`
    return [`part-${index}/PKGBUILD`, recipe(`part-${index}`, { lines })]
  })
  await site.commit('recipes', Object.fromEntries(files) as Record<string, string>)
  for (let round = 0; round <= ROUNDS; round++) {
    const begun = performance.now()
    const { stdout, told } = await site.start(['run'])
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    const [run] = (JSON.parse(stdout) as { pacman: { status: string; recipes: unknown[] }[] }).pacman
    if (run?.status !== (round === 0 ? 'built' : 'unchanged')) throw new Error(told.join('\n'))
    const [load = 0] = loadavg()
    console.log(`${run.status}: ${run.recipes.length} of ${RECIPES} recipes, ${seconds} s (load ${load.toFixed(1)})`)
  }
  const started = new CountedPrograms(site.directory)
  await site.start(['run'], { under: started.under })
  const counts = ['systemd-nspawn', 'makepkg', 'git'].map((program) => `${started.count(program)} of ${program}`)
  console.log(`started without news: ${counts.join(', ')}`)
} finally {
  ArchSite.removeAll()
}
