import { lstatSync, readFileSync, statSync } from 'node:fs'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { descriptionIn, understood } from './fake-config-xml.js'
import { artifactsOf } from './fake-items.js'
import type { FakeBuild, FakeItem } from './fake-items.js'
import type { FakeJenkins } from './fake-jenkins.js'
import { CRUMB_FIELD, crumbOf, sessionFor } from './fake-login.js'
import { select } from './fake-tree.js'

interface Asked {
  method: string
  asked: URL
  headers: IncomingHttpHeaders
  body: string
}

/** A page for people. */
export function page(
  response: ServerResponse,
  status: number,
  title: string,
  headers: Record<string, string> = {},
): ServerResponse {
  const body = `<!doctype html><html><head><title>${title}</title></head></html>`
  return response.writeHead(status, { 'content-type': 'text/html;charset=utf-8', ...headers }).end(body)
}

export function answerRequest(fake: FakeJenkins, request: Asked, response: ServerResponse): ServerResponse {
  const { asked, method } = request
  const [, jobs = '', rest = ''] = /^((?:\/job\/[^/]+)*)\/?(.*)$/.exec(asked.pathname) ?? []
  const name = [...jobs.matchAll(/\/job\/([^/]+)/g)].map(([, one]) => decodeURIComponent(one ?? '')).join('/')
  const item = fake.items.get(name)
  if (name !== '' && item === undefined) return page(response, 404, 'Not Found')
  if (item === undefined || item.isFolder) {
    if (rest === 'createItem') return createItem(fake, name, request, response)
    if (rest === 'api/json' && method === 'GET') return json(response, asked, folderJson(fake, name))
    if (item === undefined) return answerTop(fake, rest, request, response)
  }
  return answerItem(fake, item, rest, request, response)
}

function answerTop(
  fake: FakeJenkins,
  rest: string,
  { asked, headers }: Asked,
  response: ServerResponse,
): ServerResponse {
  const queueId = /^queue\/item\/([0-9]+)\/api\/json$/.exec(rest)?.[1]
  const waiting = queueId === undefined ? undefined : fake.items.queue.get(Number(queueId))
  if (waiting !== undefined) {
    const { id, why, cancelled, number } = waiting
    const executable =
      number === undefined ? null : { _class: 'org.jenkinsci.plugins.workflow.job.WorkflowRun', number }
    return json(response, asked, { _class: 'hudson.model.Queue$LeftItem', id, why, cancelled, executable })
  }
  if (rest === 'crumbIssuer/api/json' && fake.options.users !== undefined) {
    const crumb = crumbOf(sessionFor(headers.cookie, response))
    return json(response, asked, {
      _class: 'hudson.security.csrf.DefaultCrumbIssuer',
      crumb,
      crumbRequestField: CRUMB_FIELD,
    })
  }
  return page(response, 404, 'Not Found')
}

function answerItem(
  fake: FakeJenkins,
  item: FakeItem,
  rest: string,
  request: Asked,
  response: ServerResponse,
): ServerResponse {
  const { method, asked, body } = request
  if (rest === 'api/json') return json(response, asked, jobJson(item))
  if (rest === 'config.xml') {
    if (method === 'POST') Object.assign(item, understood(body))
    return response.writeHead(200, { 'content-type': 'application/xml' }).end(method === 'POST' ? '' : item.xml)
  }
  if (rest === 'disable' || rest === 'enable') {
    item.disabled = rest === 'disable'
    item.xml = item.xml.replace(/<disabled>.*?<\/disabled>/, `<disabled>${item.disabled}</disabled>`)
    return response.writeHead(302, { location: `${fake.url}${asked.pathname.slice(1)}` }).end()
  }
  if (rest === 'build' || rest === 'buildWithParameters') return startBuild(fake, item, rest, request, response)
  const [, number = '', part = ''] = /^([0-9]+)\/(.*)$/.exec(rest) ?? []
  const build = item.builds.find((one) => String(one.number) === number)
  if (build === undefined) return page(response, 404, 'Not Found')
  if (part === 'api/json') return json(response, asked, buildJson(build))
  if (part === 'logText/progressiveText') return logText(build, asked, response)
  if (part.startsWith('artifact/')) return artifact(build, part.slice('artifact/'.length), request, response)
  return page(response, 404, 'Not Found')
}

function startBuild(
  fake: FakeJenkins,
  item: FakeItem,
  rest: string,
  { method, body }: Asked,
  response: ServerResponse,
): ServerResponse {
  if (method !== 'POST') return page(response, 405, 'Method Not Allowed')
  if (item.disabled) return page(response, 409, `${item.name} is not buildable`)
  if ((rest === 'buildWithParameters') !== (item.parameters !== undefined)) {
    const reason = item.parameters === undefined ? `${item.name} is not parameterized` : 'Nothing is submitted'
    return page(response, 400, reason)
  }
  const { item: waiting, isNew } = fake.items.enqueue(item.name, Object.fromEntries(new URLSearchParams(body)))
  // the root URL that Jenkins is configured with, which need not be the one that was asked
  const location = `http://jenkins.invalid/queue/item/${waiting.id}/`
  return response.writeHead(isNew ? 201 : 303, { location }).end()
}

function createItem(
  fake: FakeJenkins,
  folder: string,
  { asked, body, headers }: Asked,
  response: ServerResponse,
): ServerResponse {
  const own = asked.searchParams.get('name') ?? ''
  const name = folder === '' ? own : `${folder}/${own}`
  const refuse = (reason: string): ServerResponse => page(response, 400, 'Error', { 'x-error': reason })
  if (!(headers['content-type'] ?? '').startsWith('application/xml')) return refuse('No mode given')
  if (own === '' || /[?*/\\%!@#$^&|<>[\]:;]/.test(own))
    return refuse(`‘${own}’ is an unsafe name`.replace(/[‘’]/g, "'"))
  if (fake.items.get(name)) return refuse(`A job already exists with the name '${own}'`)
  if (!body.trimStart().startsWith('<')) return page(response, 500, 'Oops!')
  fake.items.add(name, { ...understood(body), isFolder: body.includes('com.cloudbees.hudson.plugins.folder.Folder') })
  return response.writeHead(200).end()
}

function logText({ log, building }: FakeBuild, asked: URL, response: ServerResponse): ServerResponse {
  const all = Buffer.from(log)
  const start = Number(asked.searchParams.get('start') ?? 0)
  const headers = { 'content-type': 'text/plain;charset=UTF-8', 'x-text-size': String(all.length) }
  const body = all.subarray(start > all.length ? 0 : start)
  return response.writeHead(200, { ...headers, ...(building && { 'x-more-data': 'true' }) }).end(body)
}

/** One range `a-b` or `a-` as Jenkins' Stapler knows it; no ETag; symlinks are not served. */
function artifact(build: FakeBuild, path: string, { headers }: Asked, response: ServerResponse): ServerResponse {
  const wanted = decodeURIComponent(path)
  if (build.archived === undefined || !artifactsOf(build).includes(wanted)) return page(response, 404, 'Not Found')
  const { directory, under } = build.archived
  const file = join(directory, wanted.slice(under === '' ? 0 : under.length + 1))
  if (lstatSync(file).isSymbolicLink()) return page(response, 404, 'Not Found')
  const all = readFileSync(file)
  const type = file.endsWith('.json') ? 'application/json' : 'application/octet-stream'
  const common = { 'content-type': type, 'last-modified': statSync(file).mtime.toUTCString(), 'accept-ranges': 'bytes' }
  const [, first, last] = /^bytes=([0-9]+)-([0-9]*)$/.exec(headers.range ?? '') ?? []
  if (first === undefined) {
    return response.writeHead(200, { ...common, 'content-length': String(all.length) }).end(all)
  }
  if (Number(first) >= all.length) return page(response, 416, 'Range Not Satisfiable')
  const end = Math.min(last === undefined || last === '' ? Infinity : Number(last), all.length - 1)
  const part = all.subarray(Number(first), end + 1)
  const range = { 'content-range': `bytes ${first}-${end}/${all.length}`, 'content-length': String(part.length) }
  return response.writeHead(206, { ...common, ...range }).end(part)
}

function json(response: ServerResponse, asked: URL, data: Record<string, unknown>): ServerResponse {
  const tree = asked.searchParams.get('tree')
  const body = JSON.stringify(tree === null ? data : select(data, tree))
  return response
    .writeHead(200, {
      'content-type': 'application/json;charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    })
    .end(body)
}

function folderJson(fake: FakeJenkins, name: string): Record<string, unknown> {
  const jobs = fake.items.inFolder(name).map((item) => {
    if (item.isFolder) return folderJson(fake, item.name)
    const { disabled, xml } = item
    return { _class: classOf(item), name: item.name.split('/').at(-1), disabled, description: descriptionIn(xml) }
  })
  const own = name.split('/').at(-1)
  return {
    _class: name === '' ? 'hudson.model.Hudson' : 'com.cloudbees.hudson.plugins.folder.Folder',
    name: own,
    fullName: name,
    jobs,
  }
}

function jobJson(item: FakeItem): Record<string, unknown> {
  const builds = item.builds.slice(0, 100).map(buildJson)
  const last = (results: string[]) => {
    const found = item.builds.find(({ result, building }) => !building && results.includes(result ?? ''))
    return found === undefined ? null : buildJson(found)
  }
  const permalinks = { lastSuccessfulBuild: last(['SUCCESS', 'UNSTABLE']), lastStableBuild: last(['SUCCESS']) }
  const { name, nextNumber, disabled } = item
  const buildable = !disabled && !item.isFolder
  const names = { name: name.split('/').at(-1), fullName: name }
  const parameterDefinitions = item.parameters?.map((parameter) => ({ name: parameter }))
  const property = [
    { _class: 'jenkins.model.BuildDiscarderProperty' },
    ...(parameterDefinitions ? [{ parameterDefinitions }] : []),
  ]
  return { _class: classOf(item), ...names, property, nextBuildNumber: nextNumber, buildable, builds, ...permalinks }
}

function buildJson(build: FakeBuild): Record<string, unknown> {
  const { number, result, building, queueId } = build
  const artifacts = artifactsOf(build).map((path) => {
    return { displayPath: path, fileName: path.split('/').at(-1), relativePath: path }
  })
  const more = { inProgress: building, queueId, timestamp: 1_760_000_000_000, duration: 60_000 }
  return { _class: 'org.jenkinsci.plugins.workflow.job.WorkflowRun', number, result, building, artifacts, ...more }
}

function classOf({ isFolder }: FakeItem): string {
  return isFolder ? 'com.cloudbees.hudson.plugins.folder.Folder' : 'org.jenkinsci.plugins.workflow.job.WorkflowJob'
}
