// SPDX-License-Identifier: GPL-2.0-only
// make linux-map, and with --check the part of make lint.
import { PROJECT } from '#tools/project.js';
import { linuxMap } from './linux-map.js';

const problems = linuxMap(PROJECT, !process.argv.includes('--check'));
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
