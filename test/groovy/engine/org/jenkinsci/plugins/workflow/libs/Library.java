package org.jenkinsci.plugins.workflow.libs;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** The annotation of `@Library('treeswap') _`. */
@Retention(RetentionPolicy.SOURCE)
public @interface Library {
    String[] value();
}
