import { TreeswapError } from '../../src/model/errors.js'

/** The coded error that an action throws. @throws where it throws none */
export function refusal(action: () => unknown): TreeswapError {
  try {
    action()
  } catch (error) {
    if (error instanceof TreeswapError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
