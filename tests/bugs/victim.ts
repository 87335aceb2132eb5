// SPDX-License-Identifier: GPL-2.0-only
// A process with a fault: the modules that it imports from here on have it. What is probed for failures and chaos is what
// was there with the fault.
import { instrument } from '#tools/instrument/instrument.js';
import { editOf } from './fault.js';
import type { Job } from './job.js';

const job = JSON.parse(process.argv[2] ?? '') as Job;
if (job.fault !== null) instrument([editOf(job.fault)]);
await import('#tools/instrument/preload.js');
const { work } = await import('./workload.js');
await work(job);
process.disconnect?.();
