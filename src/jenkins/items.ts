import * as z from 'zod'
import { orMissing } from './client.js'
import type { Jenkins } from './client.js'
import { jobPath, splitJob } from './job-name.js'

/** The definition of a job or folder as Jenkins keeps it; undefined where there is none. @throws what Jenkins' methods throw */
export async function readItem(jenkins: Jenkins, name: string): Promise<string | undefined> {
  return (await orMissing(jenkins.getText(`${jobPath(name)}/config.xml`)))?.text
}

/** Makes a job or folder in a folder that is there. @throws JENKINS_REFUSED where there is one, and what Jenkins' methods throw */
export async function createItem(jenkins: Jenkins, name: string, xml: string): Promise<void> {
  const { folder, name: own } = splitJob(name)
  const place = folder === '' ? '' : `${jobPath(folder)}/`
  await jenkins.postXml(`${place}createItem?name=${encodeURIComponent(own)}`, xml)
}

/** @throws JENKINS_NOT_FOUND, and what Jenkins' methods throw */
export async function updateItem(jenkins: Jenkins, name: string, xml: string): Promise<void> {
  await jenkins.postXml(`${jobPath(name)}/config.xml`, xml)
}

/** Own names of what lies in a folder; '' is the top. @throws JENKINS_NOT_FOUND, and what Jenkins' methods throw */
export async function listItems(jenkins: Jenkins, folder: string): Promise<string[]> {
  const schema = z.object({ jobs: z.array(z.object({ name: z.string() })).default([]) })
  const { jobs } = await jenkins.getJson(folder === '' ? '' : jobPath(folder), 'jobs[name]', schema)
  return jobs.map(({ name }) => name)
}
