import { execa } from 'execa'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cachedDirectory, recipeKey } from '../lab/cache.js'

/**
 * Fetches libraries of Maven Central and keeps them. What they need in turn has to be named as well: several of them
 * want another Groovy than the one Jenkins has.
 * @param name of the place in the cache
 * @param coordinates `group:artifact:version` each
 * @returns class path for java(1)
 */
export async function classPath(name: string, coordinates: readonly string[]): Promise<string> {
  const directory = await cachedDirectory(`maven-${name}-${recipeKey(coordinates)}`, (partial) =>
    copyDependencies(coordinates, partial),
  )
  const jars = readdirSync(directory).filter((file) => file.endsWith('.jar'))
  return jars
    .sort()
    .map((jar) => join(directory, jar))
    .join(':')
}

async function copyDependencies(coordinates: readonly string[], directory: string): Promise<void> {
  const pom = join(directory, 'pom.xml')
  writeFileSync(pom, pomOf(coordinates))
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'
  await execa(
    'mvn',
    ['--quiet', '--batch-mode', '--file', pom, goal, `-DoutputDirectory=${directory}`, '-DexcludeTransitive=true'],
    { timeout: 600_000 },
  )
}

function pomOf(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group = '', artifact = '', version = ''] = coordinate.split(':')
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  })
  return `<project>
<modelVersion>4.0.0</modelVersion>
<groupId>lab</groupId><artifactId>lab</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies>
</project>
`
}
