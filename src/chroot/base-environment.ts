/** What every program in a container is started with; nothing of the host's environment enters. */
export const baseEnvironment: Readonly<Record<string, string>> = {
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  NO_COLOR: '1',
  NOCOLOR: 'true',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  TERM: 'dumb',
}
