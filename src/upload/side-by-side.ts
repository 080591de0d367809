/** How many files are under way at a time: each needs several answers, and a distant host is slow to give them. */
const AT_A_TIME = 8
/** bytes of the files that are under way together: a connection that keeps breaking off must finish some of them */
const BYTES = 1024 * 1024

/**
 * Does something with all items, in their order, small ones side by side; and begins none any more when one has failed.
 * @throws the first failure, when all that was begun has ended
 */
export async function sideBySide<T extends { size: number }>(
  items: readonly T[],
  action: (item: T) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let bytes = 0
  for (const item of items) {
    while (underWay.size >= AT_A_TIME || (underWay.size > 0 && bytes + item.size > BYTES)) await Promise.race(underWay)
    if (failures.length > 0) break
    bytes += item.size
    const work: Promise<void> = action(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        bytes -= item.size
        underWay.delete(work)
      })
    underWay.add(work)
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
}
