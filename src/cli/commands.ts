import type { Command } from './command.js'
import { build } from './commands/build.js'
import { check } from './commands/check.js'
import { chrootCreate } from './commands/chroot-create.js'
import { chrootList } from './commands/chroot-list.js'
import { chrootRemove } from './commands/chroot-remove.js'
import { chrootShell } from './commands/chroot-shell.js'
import { chrootUpdate } from './commands/chroot-update.js'
import { configCaddy } from './commands/config-caddy.js'
import { configCheck } from './commands/config-check.js'
import { configNginx } from './commands/config-nginx.js'
import { configPacman } from './commands/config-pacman.js'
import { configPortage } from './commands/config-portage.js'
import { configRsyncd } from './commands/config-rsyncd.js'
import { configSchema } from './commands/config-schema.js'
import { diff } from './commands/diff.js'
import { doctor } from './commands/doctor.js'
import { jobsApply } from './commands/jobs-apply.js'
import { jobsDiff } from './commands/jobs-diff.js'
import { jobsRender } from './commands/jobs-render.js'
import { jobsRun } from './commands/jobs-run.js'
import { keyring } from './commands/keyring.js'
import { list } from './commands/list.js'
import { log } from './commands/log.js'
import { pack } from './commands/pack.js'
import { plan } from './commands/plan.js'
import { publish } from './commands/publish.js'
import { publisher } from './commands/publisher.js'
import { pull } from './commands/pull.js'
import { rollback } from './commands/rollback.js'
import { run } from './commands/run.js'
import { show } from './commands/show.js'
import { snapshot } from './commands/snapshot.js'
import { status } from './commands/status.js'
import { step } from './commands/step.js'
import { upload } from './commands/upload.js'

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  run,
  snapshot,
  plan,
  build,
  pack,
  pull,
  publish,
  rollback,
  upload,
  keyring,
  publisher,
  list,
  status,
  show,
  diff,
  log,
  check,
  chrootCreate,
  chrootList,
  chrootUpdate,
  chrootShell,
  chrootRemove,
  configCheck,
  configSchema,
  configNginx,
  configCaddy,
  configRsyncd,
  configPortage,
  configPacman,
  jobsRender,
  jobsDiff,
  jobsApply,
  jobsRun,
  step,
  doctor,
]
