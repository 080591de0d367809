import * as z from 'zod'

const seconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }
const bytes: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

const DURATION = /^([0-9]{1,9})([smhd])$/
const SIZE = /^([0-9]{1,9})([KMGT])$/

/** `90s`, `15m`, `6h`, `1d` → seconds. */
export const duration = z
  .string({ error: 'write a whole number with a unit: 90s, 15m, 6h or 1d' })
  .regex(DURATION, 'write a whole number with a unit: 90s, 15m, 6h or 1d')
  .transform((text) => inUnits(text, DURATION, seconds))

/** `512M`, `8G` → bytes. */
export const size = z
  .string({ error: 'write a whole number with a unit: 512M or 8G' })
  .regex(SIZE, 'write a whole number with a unit: 512M or 8G')
  .transform((text) => inUnits(text, SIZE, bytes))

function inUnits(text: string, pattern: RegExp, units: Record<string, number>): number {
  const [, amount = '', unit = ''] = pattern.exec(text) ?? []
  return Number(amount) * (units[unit] ?? NaN)
}
