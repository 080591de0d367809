process.env.TS_NODE_TRANSPILE_ONLY ??= '1'
