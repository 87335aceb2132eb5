// SPDX-License-Identifier: GPL-2.0-only
// A step with its first, second, third … failure, until none is left: the right error, nothing left behind, and the next
// time it works.

import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { device_link_wait_removal } from '#drivers/base/core.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { panic_state } from '#kernel/panic.js';
import { EBUSY, EIO, ENODEV, ENOENT, ENXIO, ETIMEDOUT } from '#linux/errno.js';
import { Masters } from '#tests/drivers/iommu/masters.js';
import { findings } from '#tests/sanitiser.js';
import { type Failure, failNth, functionCalls, KINDS, type Kind } from '#watch/fail-points.js';
import type { Description } from './description.js';
import { CheckFailure, type Rig } from './rig.js';
import type { Step, StepKind } from './steps.js';

/** Time for what ends later: the flush queue. */
const SETTLE_NS = 50e6;

/** It has to work, and to leave nothing behind. */
function passes(rig: Rig, step: Step): void {
	rig.equal('it answers', step.run(), 0);
	step.works(false);
	step.undo();
}

/** Try failures of each kind, one after the other: how many there were. */
export function failEach(rig: Rig, { name, errors, prepare }: StepKind): Readonly<Record<Kind, number>> {
	const step = prepare(rig);
	const settle = (): void => {
		device_link_wait_removal();
		rig.machine.advance(SETTLE_NS);
	};
	// What is made for the first time, and kept, is made now.
	for (let round = 0; round < 2; round++) passes(rig, step);
	const fails = (kind: Kind, nth: number): boolean => {
		settle();
		const check = rig.leakCheck();
		let ret = 0;
		const run = (): void => {
			ret = step.run();
		};
		const failure = failNth(kind, nth, run, rig.description.helpless);
		const what = failure === null ? name : `${name} with ${failure.text}${via(failure.trace)}`;
		rig.within(what, () => {
			if (ret === 0) {
				step.works(failure !== null);
				step.undo();
			} else if (failure === null || (ret !== failure.error && !errors.includes(ret)))
				rig.equal('it answers', ret, failure?.error ?? 0);
			else step.nothing();
			settle();
			rig.equal('what is left', check(), []);
			if (failure === null) return;
			rig.within('the next time', () => passes(rig, step));
			settle();
			rig.equal('what is left after the next time', check(), []);
		});
		return failure !== null;
	};
	const points = { slab: 0, page: 0, function: 0 };
	for (const kind of KINDS) while (fails(kind, points[kind] + 1)) points[kind]++;
	return points;
}

/** How many callers of a function that failed are named. */
const CALLERS = 4;

function via(trace: readonly string[]): string {
	return trace.length === 0 ? '' : `, from ${trace.slice(1, 1 + CALLERS).join(', ')}`;
}

/** What the driver may answer when the hardware does not. */
const HUNG = [0, -ETIMEDOUT, -EIO, -EBUSY];

/**
 * Do the step with each command of the hardware's that never ends: it comes back, says what has timed out, and works when
 * the hardware does. How many commands there are.
 */
export function failHung(rig: Rig, { name, prepare }: StepKind): number {
	const { commands } = rig.description;
	const step = prepare(rig);
	passes(rig, step);
	for (const { stuck, says } of commands) {
		rig.log.length = 0;
		for (const iommu of rig.machine.iommus) iommu.stuck.add(stuck);
		const ret = step.run();
		for (const iommu of rig.machine.iommus) iommu.stuck.delete(stuck);
		rig.within(`${name} while "${stuck}" never ends`, () => {
			rig.holds(`it answers ${ret}; expected ${HUNG.join(', ')}`, HUNG.includes(ret));
			if (ret !== 0)
				rig.holds(
					`the log says nothing like ${says}`,
					rig.log.some((line) => says.test(line)),
				);
			if (ret === 0) step.undo();
		});
		// What was not invalidated stays in the caches, and the core warns where it cannot go back: the hardware is to blame.
		findings.length = 0;
		panic_state.warnings.length = 0;
		rig.machine.advance(SETTLE_NS);
		rig.machine.notes.length = 0;
		rig.within(`${name} after "${stuck}" did not end`, () => passes(rig, step));
	}
	return commands.length;
}

/** The first line of the log: the boot has begun, and has forgotten what it was told before. */
const FIRST_LINE = 'Linux version';

/** What one boot with a failure is to show. */
interface Boot {
	readonly log: readonly string[];
	readonly iommu: string;
	readonly failure: Failure | null;
}

/** Boot with the @nth call of @kind made to fail; those that match @except do not count. */
function bootWith(description: Description, options: MachineOptions, kind: Kind, nth: number): Boot {
	const log: string[] = [];
	let rearm: (() => void) | null = null;
	const onConsole = (_level: number, line: string): void => {
		log.push(line);
		if (line.includes(FIRST_LINE)) rearm?.();
	};
	const machine = description.board({ ...options, onConsole });
	const boot = (again: () => void): void => {
		rearm = again;
		new Masters(machine);
	};
	const failure = failNth(kind, nth, boot, others(description));
	panic_state.warnings = panic_state.warnings.filter((text) => !FIRST_ATTACH.test(text));
	return { log, iommu: machine.iommus[0].name, failure };
}

/** Linux warns of a driver whose first attach fails; this one has no clock. */
const FIRST_ATTACH = /\biommu_setup_default_domain$/;

/** What is not called by the driver does not count. */
const others = ({ name }: Description): RegExp => new RegExp(`^(?![^]*/${name}\\.[jt]s)`);

/** The kernel has come up, and somebody says why the driver was not bound. */
function saysWhy({ log, iommu, failure }: Boot): void {
	const bound = bus_find_device_by_name(platform_bus_type, null, iommu)?.driver != null;
	const said = log.some((line) => line.includes(iommu) && /fail|Couldn't|cannot/i.test(line));
	if (failure === null || bound || said || [-ENODEV, -ENXIO, -ENOENT].includes(failure.error)) return;
	throw new CheckFailure(
		`a boot with ${failure.text}${via(failure.trace)}: ${iommu} has no driver, and nobody says why`,
	);
}

/** Boot with each call of @kind below the IOMMU's driver made to fail: how many there were. */
export function failBoot(description: Description, kind: Kind, options: MachineOptions): number {
	for (let nth = 1; ; nth++) {
		const boot = bootWith(description, options, kind, nth);
		if (boot.failure === null) return nth - 1;
		saysWhy(boot);
	}
}

/** The line of the driver that has called what fails. */
function lineOf(stack: string, { name }: Description): string {
	return stack.split('\n').find((line) => line.includes(`/${name}.`)) ?? '';
}

/** The same with functions, but only the first that fails below each line of the driver. */
export function failBootOnce(description: Description, options: MachineOptions): number {
	const machine = description.board(options);
	const calls = functionCalls(() => new Masters(machine), others(description)).map((call) =>
		lineOf(call, description),
	);
	const first = calls.flatMap((call, n) => (calls.indexOf(call) === n ? [n + 1] : []));
	for (const nth of first) saysWhy(bootWith(description, options, 'function', nth));
	return first.length;
}
