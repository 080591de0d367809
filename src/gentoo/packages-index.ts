export * from '../model/packages-index.js'
