import { resolve } from 'node:path'
import { ensureChroot } from '../agent/ensure-chroot.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import { openSource } from '../agent/sources.js'
import { waitingForRoots } from '../agent/wait-for-root.js'
import type { Config } from '../config/config.js'
import { machineOf } from '../config/trees.js'
import { describeCheckout } from '../git/git.js'
import { junitXml } from '../jenkins/junit.js'
import { buildTree } from '../machines/build.js'
import { machineInputs } from '../machines/inputs.js'
import { packageReport } from '../machines/package-report.js'
import type { PackageReport } from '../machines/package-report.js'
import { profileIn } from '../machines/profile-checkout.js'
import { configurationError, TreeswapError } from '../model/errors.js'
import { count, humanBytes } from '../model/quantity.js'
import type { Context } from '../model/report.js'
import { makeDirectory, removeTree, writeNew } from '../system/files.js'
import { version } from '../system/version.js'
import { ARTIFACT, packedIn, REPORT } from './files.js'
import { latestSnapshots, requireSameRepos } from './repos.js'
import type { RequestOf, StepOutcome } from './request.js'

const JUNIT = `${REPORT}/packages.xml`

/** A build that failed, and the test report that there is all the same. */
export class StepFailure extends Error {
  constructor(
    readonly error: unknown,
    readonly outcome: Pick<StepOutcome, 'artifacts' | 'junit'>,
  ) {
    super('the step failed')
  }
}

/**
 * Builds a machine as the running build.
 * @throws StepFailure with what buildTree threw; TREE_UNKNOWN, REPOS_DIFFERENT, CHECKOUT_MISSING, and what the sources throw
 */
export async function buildStep(config: Config, request: RequestOf<'build'>, context: Context): Promise<StepOutcome> {
  const configured = machineOf(config, request.machine)
  requireSameRepos(config, configured, request.repos)
  const machine = { ...configured, target: request.target ?? configured.target }
  const output = resolve(ARTIFACT)
  for (const directory of [output, resolve(REPORT)]) removeTree(directory)
  const checkout = await describeCheckout(resolve(request.directory), context)
  if (checkout === undefined) throw checkoutMissing(request.directory)
  const profile = await profileIn(checkout, machine, context)
  const snapshots = await latestSnapshots(config, machine.repos, context)
  const service = waitingForRoots(rootServiceOf(config.builder))
  await ensureChroot(config, machine.chroot, context, service)
  const packages = packageReport(context.report)
  try {
    const { build, compiled, reused } = await buildTree(
      {
        machine,
        builder: config.builder,
        service,
        snapshots,
        profile: profile.directory,
        inputs: machineInputs(machine, snapshots, profile.input),
        output,
        number: request.number,
        base: openSource(`jenkins:${request.job}`, config, { context }),
        full: request.full ?? false,
        tools: { treeswap: version() },
      },
      { ...context, report: packages.report },
    )
    writeReport(machine.name, packages)
    return {
      description: `${count(compiled.length, 'package')} compiled, ${reused.length} reused, ${humanBytes(packedIn(build))}`,
      artifacts: [`${ARTIFACT}/*`, JUNIT],
      junit: JUNIT,
      values: { number: build.number, compiled, reused },
    }
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    try {
      writeReport(machine.name, packages, error)
    } catch (unwritten) {
      // why the build failed matters more
      context.report.warn(
        `the test report was not written: ${unwritten instanceof Error ? unwritten.message : 'unknown'}`,
      )
      throw error
    }
    throw new StepFailure(error, { artifacts: [JUNIT], junit: JUNIT })
  }
}

function writeReport(suite: string, packages: PackageReport, error?: TreeswapError): void {
  makeDirectory(resolve(REPORT))
  writeNew(resolve(JUNIT), junitXml(suite, packages.cases(error)))
}

function checkoutMissing(directory: string): Error {
  return configurationError(
    'CHECKOUT_MISSING',
    `${directory} is no checkout of the profile repository`,
    'check the repository out there first: the step treeswapMachine does',
  )
}
