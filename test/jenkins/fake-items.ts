import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface FakeBuild {
  number: number
  result: string | null
  building: boolean
  /** directory whose files are its artifacts, and the folder in which they are archived; undefined: none */
  archived: { directory: string; under: string } | undefined
  log: string
  queueId: number
  parameters: Record<string, string>
}

export interface FakeItem {
  name: string
  isFolder: boolean
  xml: string
  disabled: boolean
  /** names; undefined: the job has none */
  parameters: string[] | undefined
  builds: FakeBuild[]
  nextNumber: number
}

export interface QueueItem {
  id: number
  job: string
  parameters: Record<string, string>
  why: string | null
  cancelled: boolean
  number: number | undefined
}

/** Jobs, folders, builds and the queue. */
export class FakeItems {
  private readonly items = new Map<string, FakeItem>()
  readonly queue = new Map<number, QueueItem>()
  private nextQueueId = 100

  get(name: string): FakeItem | undefined {
    return this.items.get(name)
  }

  all(): FakeItem[] {
    return [...this.items.values()]
  }

  inFolder(folder: string): FakeItem[] {
    const prefix = folder === '' ? '' : `${folder}/`
    return this.all().filter(({ name }) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
  }

  /** Adds a job, or a folder, with the folders it lies in. */
  add(name: string, more: Partial<FakeItem> = {}): FakeItem {
    const folder = name.split('/').slice(0, -1).join('/')
    if (folder !== '' && !this.items.has(folder)) this.add(folder, { isFolder: true })
    const xml = `<flow-definition>${name}</flow-definition>`
    const empty = { isFolder: false, xml, disabled: false, parameters: undefined, builds: [], nextNumber: 1 }
    const item = { name, ...empty, ...more }
    this.items.set(name, item)
    return item
  }

  remove(name: string): void {
    this.items.delete(name)
  }

  /** Adds a build with the next number, unless one is given. */
  addBuild(job: string, more: Partial<FakeBuild> & { artifacts?: string } = {}): FakeBuild {
    const item = this.items.get(job) ?? this.add(job)
    const { artifacts, ...given } = more
    const build: FakeBuild = {
      number: item.nextNumber,
      result: 'SUCCESS',
      building: false,
      archived: artifacts === undefined ? undefined : { directory: artifacts, under: 'artifact' },
      log: '',
      queueId: 0,
      parameters: {},
      ...given,
    }
    item.builds = [build, ...item.builds.filter(({ number }) => number !== build.number)]
    item.builds.sort((a, b) => b.number - a.number)
    item.nextNumber = Math.max(item.nextNumber, build.number + 1)
    return build
  }

  /** A request for a build waits; the same one again is the one that waits already. */
  enqueue(job: string, parameters: Record<string, string>): { item: QueueItem; isNew: boolean } {
    const same = [...this.queue.values()].find(
      (item) => item.job === job && item.number === undefined && !item.cancelled && equal(item.parameters, parameters),
    )
    if (same) return { item: same, isNew: false }
    const why = 'In the quiet period. Expires in 4.9 sec'
    const item = { id: this.nextQueueId++, job, parameters, why, cancelled: false, number: undefined }
    this.queue.set(item.id, item)
    return { item, isNew: true }
  }

  /** Begins the build of what waits. */
  begin(queueId: number, more: Partial<FakeBuild> = {}): FakeBuild {
    const item = this.queue.get(queueId)
    if (item === undefined) throw new Error(`there is no queue item ${queueId}`)
    const { job, parameters } = item
    const build = this.addBuild(job, { building: true, result: null, queueId, parameters, ...more })
    Object.assign(item, { number: build.number, why: null })
    return build
  }
}

/** Relative paths of a build's artifacts. Jenkins lists symlinks, though it does not serve them. */
export function artifactsOf({ archived }: FakeBuild): string[] {
  if (archived === undefined) return []
  const { directory, under } = archived
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !lstatSync(join(directory, path)).isDirectory())
    .map((path) => (under === '' ? path : `${under}/${path}`))
    .sort()
}

function equal(a: Record<string, string>, b: Record<string, string>): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
}
