// SPDX-License-Identifier: GPL-2.0-only
// Holds the drivers to the kernel subset: what `make c` would refuse, without writing anything.
import { join } from 'node:path';
import { emit } from '#tools/c/emit.js';
import { CLIENTS, IN_SUBSET } from '#tools/c/files.js';
import { Project } from '#tools/c/source.js';
import { PROJECT } from '#tools/project.js';

const project = new Project(PROJECT);
const refusals = [...IN_SUBSET, ...CLIENTS].flatMap(
	(f) => emit(project, project.open(join(PROJECT, f))!).refusals,
);
for (const r of refusals) console.error(`${r.message} (Documentation/kernel-subset.md)`);
if (refusals.length > 0) process.exitCode = 1;
