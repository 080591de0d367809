// Makes the jobs of jobs.json, which `treeswap jobs render` writes from the configuration and has checked. A new machine
// never changes this script. It runs in Job DSL's sandbox with names relative to the folder of the seed job
// (lookupStrategy 'SEED_JOB'), and calls only what Job DSL documents: see docs/jenkins.md.
def list = new groovy.json.JsonSlurper().parseText(readFileFromWorkspace('jobs.json'))
if (list.schema != 1) {
    throw new Exception('jobs.json and seed.groovy are of different versions of treeswap')
}

list.folders.each { one ->
    folder(one.name) {
        description(one.description)
    }
}

list.jobs.each { one ->
    pipelineJob(one.name) {
        description(one.description)
        disabled(false) // a job that comes back into the list runs again
        quietPeriod(one.quietSeconds)
        if (one.parameters) {
            parameters {
                one.parameters.each { parameter ->
                    if (parameter.kind == 'choice') {
                        choiceParam(parameter.name, parameter.choices, parameter.description)
                    } else {
                        stringParam(parameter.name, parameter.value, parameter.description)
                    }
                }
            }
        }
        properties {
            disableConcurrentBuilds()
            buildDiscarder {
                strategy {
                    logRotator {
                        daysToKeepStr('')
                        numToKeepStr(one.keepRecords.toString())
                        artifactDaysToKeepStr('')
                        artifactNumToKeepStr(one.keepArtifacts.toString())
                    }
                }
            }
            if (one.poll != null || one.timer != null || one.upstream) {
                pipelineTriggers {
                    triggers {
                        if (one.poll != null) {
                            pollSCM {
                                scmpoll_spec(one.poll)
                            }
                        }
                        if (one.timer != null) {
                            cron {
                                spec(one.timer)
                            }
                        }
                        if (one.upstream) {
                            upstream {
                                upstreamProjects(one.upstream.join(', '))
                            }
                        }
                    }
                }
            }
        }
        definition {
            cps {
                script(one.script)
                sandbox()
            }
        }
    }
}
