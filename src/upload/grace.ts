import { now } from '../system/clock.js'

/** @param since ISO 8601 */
export function hasLasted(since: string, seconds: number): boolean {
  return now() - Date.parse(since) >= seconds * 1000
}

/** A moment (ISO 8601) of a clock that went ahead for a while would keep things for as long: it counts as now. */
export function pastOrNow(moment: string | undefined): string {
  return moment === undefined || Date.parse(moment) > now() ? new Date(now()).toISOString() : moment
}
