import * as z from 'zod'
import { duration } from '../model/quantities.js'
import {
  branch,
  checked,
  describe,
  gitUrl,
  path,
  pathInRepository,
  positive,
  sshHost,
  sshHostKey,
  sshUser,
} from './fields.js'
import { serverUrlProblem } from './urls.js'

/** hudson.scheduler's fields: cron's, with `H` for "some minute of its own", and names as @hourly */
const CRON = /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|([0-9A-Za-z*/,()-]+ +){4}[0-9A-Za-z*/,()-]+)?$/
/** what Jenkins and the labels, ids and names of its administrators are made of; nothing that a script would take for code */
const word = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, 'use letters, digits, "_", "-" and "."')
/** labels may be combined: `linux && nspawn` */
const label = z
  .string()
  .regex(/^[A-Za-z0-9_.&|!() -]{1,200}$/, 'write a label of agents, or several joined by && and ||')

/** When a job polls; empty: only when it is notified. */
export const schedule = z
  .string()
  .regex(CRON, 'write five fields as cron has them, "H/15 * * * *" for example, or "" to poll only when notified')

export const credentialsId = word

const publishOver = z
  .strictObject({
    host: sshHost.describe("The publisher's host."),
    port: describe(z.int().min(1).max(65_535).default(22), 'Port of its SSH server. Default: 22.'),
    user: describe(sshUser.default('treeswap'), 'User there. Default: treeswap.'),
    'host-key': sshHostKey.describe('Its host key, as in /etc/ssh/ssh_host_ed25519_key.pub; no other one is accepted.'),
    credentials: credentialsId.describe('Jenkins id of the SSH key.'),
  })
  .describe('Publish over SSH, by a forced command, instead of on an agent.')

const configuration = z
  .strictObject({
    url: gitUrl.describe('Git URL, without credentials.'),
    branch,
    credentials: describe(credentialsId.optional(), 'Jenkins id of the credentials for it. Default: none.'),
    path: describe(pathInRepository.default('treeswap.yaml'), 'This file in it. Default: treeswap.yaml.'),
  })
  .describe('The git repository that holds this file: jobs check it out.')

export const jenkins = z
  .strictObject({
    url: describe(
      checked(serverUrlProblem).optional(),
      'Base URL of Jenkins, without credentials. Default: JENKINS_URL of the environment.',
    ),
    user: describe(
      z
        .string()
        .regex(/^[^:\p{Cc}]+$/u, 'write the id of a Jenkins user')
        .optional(),
      'User for REST. Default: TREESWAP_JENKINS_USER of the environment, which goes first where that has a token.',
    ),
    'token-file': describe(
      path.optional(),
      'File with the API token of that user, and nothing else. TREESWAP_JENKINS_TOKEN of the environment goes first.',
    ),
    folder: describe(
      z
        .string()
        .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(\/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99})*$/, {
          error: 'write the name of a folder, with the folders it lies in: infra/treeswap',
        })
        .default('treeswap'),
      'Folder of the jobs. Default: treeswap.',
    ),
    library: describe(word.default('treeswap'), 'Name of the shared library in Jenkins. Default: treeswap.'),
    agent: describe(label.default('treeswap'), 'Label of the agents that build. Default: treeswap.'),
    publisher: describe(label.optional(), 'Label of the agent that publishes. Default: publisher.'),
    'publish-over': publishOver.optional(),
    credentials: describe(
      credentialsId.default('treeswap-read'),
      'Jenkins id of user and API token with which jobs read artifacts. Default: treeswap-read.',
    ),
    config: configuration.optional(),
    timeout: describe(
      duration.refine(positive, 'must not be 0').default(43_200),
      'How long a job may take, waiting for an agent not counted. Default: 12h.',
    ),
    'keep-builds': describe(
      z.int().min(1).max(10_000).default(5),
      'Builds whose artifacts Jenkins keeps; the store keeps all. Packages are named instead of packed for less than half as many builds. Default: 5.',
    ),
  })
  .refine((section) => section.publisher === undefined || section['publish-over'] === undefined, {
    path: ['publisher'],
    error: 'publisher and publish-over exclude each other: keep the one that says where publishing runs',
  })
  .describe('Jenkins: its address, and what its jobs are made with.')
