package org.jenkinsci.plugins.workflow.steps;

/** What Jenkins throws into a step that is aborted or takes too long; scripts name it by this class. */
public class FlowInterruptedException extends InterruptedException {
    private static final long serialVersionUID = 1L;

    public FlowInterruptedException(String message) {
        super(message);
    }
}
