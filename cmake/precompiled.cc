// The precompiled header needs a source to be built with; this is it.
