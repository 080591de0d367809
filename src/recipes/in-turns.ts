/** Does something with each item, at most so many at a time; results in the items' order. After an error nothing more is begun. */
export async function inTurns<T, R>(
  items: readonly T[],
  atATime: number,
  action: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  let stopped = false
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) {
      if (stopped) return
      try {
        results[index] = await action(item)
      } catch (error) {
        stopped = true
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(atATime, items.length) }, worker))
  const failed = ended.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results
}
