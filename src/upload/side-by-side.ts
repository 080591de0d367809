/** How many files are under way at a time: each needs several answers, and a distant host is slow to give them. */
const AT_A_TIME = 8

/** Does something with all items, some at a time, and none any more when one has failed. @throws the first failure */
export async function sideBySide<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    for (const item of rest) {
      if (failures.length > 0) return
      await action(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  if (failures.length > 0) throw failures[0]
}
