// SPDX-License-Identifier: GPL-2.0-only
// Allocations that fail, at boot, at binding and at work: the kernel says so, undoes what it did, and goes on.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';

import { bus_for_each_dev } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { of_property_present } from '#drivers/of/property.js';
import { close_fd } from '#fs/file.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import type { Machine } from '#hw/core/machine.js';
import { monitorOf } from '#hw/display/monitor.js';
import { DRM_FORMAT_XRGB8888 } from '#include/uapi/drm/drm_fourcc.js';
import { kernel_bug, panic_state } from '#kernel/panic.js';
import { printk_state } from '#kernel/printk/printk.js';
import { dev_name, type device } from '#linux/device.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { bootMachine } from '#tests/boot.js';
import { draw, kept } from '#tests/drivers/gpu/drm/bench.js';
import { DMA_DEBUG } from '#tests/fail-each.js';
import { type FuzzTarget, pick } from '#tests/fuzz/fuzz.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { Display } from '#tools/run/display.js';
import { SyscallError, VideoDevice } from '#tools/v4l2.js';

export const PHASES = ['boot', 'bind', 'decode', 'display'] as const;
export type Phase = (typeof PHASES)[number];

/** Which allocation fails: the @nth of its kind in a phase, and @times - 1 after it. */
export interface Failure {
	readonly phase: Phase;
	readonly kind: 'slab' | 'page';
	readonly nth: number;
	readonly times: number;
}

/** 6.12 has the same: there is no going on without. */
const PANICS = /^kernel BUG at drivers\/iommu\/iommu\.[jt]s:\d+ iommu_init!$/;

/** WARNs that 6.12 has, too: without the class of device links, and ... */
const KNOWN = [/^class_for_each_device called for class devlink before it was initialized$/];
/** ... where the platform bus never came up: its device is gone, and what the tree has would be its children. */
const CRIPPLED = [
	...KNOWN,
	/^Device 'platform' does not have a release\(\) function, it is broken and must be fixed\./,
	/^refcount_t: (addition on 0|underflow); use-after-free\.$/,
];

const DRIVERS = '/sys/bus/platform/drivers';
const SIZE = 32;
const SHADE = 0x40;

const picture = encodeJpeg(
	{ width: SIZE, height: SIZE, data: new Uint8Array(SIZE * SIZE * 3).fill(SHADE) },
	{ subsampling: '420' },
);

function arm({ kind, nth, times }: Failure): void {
	const fault = kind === 'slab' ? slab_fault : fail_page_alloc;
	slab_fault.reject = DMA_DEBUG;
	fault.nth = nth;
	fault.times = times;
}

/** No more failures; whether there was one. */
function disarm(): boolean {
	for (const fault of [slab_fault, fail_page_alloc]) {
		fault.nth = 0;
		fault.times = 1;
	}
	return slab_fault.failed + fail_page_alloc.failed > 0;
}

function platformDevices(): device[] {
	const found: device[] = [];
	bus_for_each_dev(platform_bus_type, null, null, (dev) => {
		found.push(dev);
		return 0;
	});
	return found;
}

/** Each device that has a driver: `driver/device`. */
const bindings = (): string[] =>
	platformDevices()
		.filter((dev) => dev.driver !== null)
		.map((dev) => `${dev.driver!.name}/${dev_name(dev)}`);

function unbind(binding: string): void {
	const [driver, name] = binding.split('/') as [string, string];
	sysfs_write(`${DRIVERS}/${driver}/unbind`, name);
}

/** Have the bus look for drivers of what @wanted has and is not bound. */
function bindAll(wanted: readonly string[]): void {
	for (const binding of wanted)
		if (!bindings().includes(binding)) sysfs_write('/sys/bus/platform/drivers_probe', binding.split('/')[1]!);
}

/** The clients, which can come and go: the IOMMU, clocks and resets stay. */
const isClient = (binding: string): boolean =>
	/^(cedrus|sun4i-drm|sun4i-tcon|sun8i-mixer|sun8i-tcon-top|sun8i-dw-hdmi)\//.test(binding);

function rebind(wanted: readonly string[]): void {
	const clients = wanted.filter(isClient);
	for (const binding of [...clients].reverse()) unbind(binding);
	bindAll(clients);
}

function decode(): void {
	const video = new VideoDevice();
	try {
		video.setJpegFormat(SIZE, SIZE, picture.length);
		video.requestBuffers('output', 1);
		video.requestBuffers('capture', 1);
		const source = video.map('output');
		source.bytes.set(picture);
		source.unmap();
		video.queue('output', 0, picture.length);
		video.queue('capture');
		video.streamOn('output');
		video.streamOn('capture');
		if (video.dequeue('capture').failed) throw new Error('the picture was not decoded');
		const result = video.map('capture');
		const shade = result.bytes[0];
		result.unmap();
		if (Math.abs(shade! - SHADE) > 2) throw new Error(`the decoded picture has shade ${shade}`);
	} finally {
		video.close();
	}
}

function display(machine: Machine): void {
	const screen = Display.open();
	try {
		const dumb = screen.createDumb(SIZE, SIZE);
		draw(screen, dumb, (bytes) => bytes.fill(SHADE));
		const format = DRM_FORMAT_XRGB8888;
		const fb = screen.addFb(dumb.handle, {
			width: SIZE,
			height: SIZE,
			format,
			pitch: dumb.pitch,
			offsets: [0],
		});
		screen.setMode(SIZE, SIZE, fb);
		screen.waitVblank();
		const shade = monitorOf(machine).capture()?.rgb[0];
		if (shade !== SHADE) throw new Error(`the screen shows shade ${shade}`);
	} finally {
		disarm();
		close_fd(screen.fd);
	}
}

/** @what, which may be refused for want of memory. */
function refusable(what: () => void): void {
	try {
		what();
	} catch (error) {
		if (!(error instanceof SyscallError) || !/ENOMEM|EAGAIN|ENOBUFS/.test(error.message)) throw error;
	}
}

/** A device behind an IOMMU that works has no other way to memory. */
function checkGuarded(): void {
	const iommu = platformDevices().find((dev) => dev.driver?.name === 'sun50i-iommu');
	if (iommu === undefined) return;
	for (const dev of platformDevices())
		if (dev.driver !== null && of_property_present(dev.of_node, 'iommus') && dev.iommu_group === null)
			throw new Error(`${dev_name(dev)} is bound, and goes past its IOMMU`);
}

function checkWarnings(known: readonly RegExp[]): void {
	const unexpected = panic_state.warnings.filter((line) => !known.some((k) => k.test(line)));
	panic_state.warnings.length = 0;
	if (unexpected.length > 0) throw new Error(`WARN: ${unexpected[0]}`);
}

interface Whole {
	readonly bindings: readonly string[];
	readonly live: Record<string, number>;
	/** How many initcalls have nothing to do on this board, and say so by failing. */
	readonly initcalls: number;
}

/** What there is after a boot in which nothing failed, and after the same work. */
let whole: Whole | null = null;

const failedInitcalls = (): number =>
	printk_state.log.filter(({ text }) => /^initcall \w* returned/.test(text)).length;

/**
 * Whether a part of the kernel never came up: an initcall failed, or a device was not made. Nobody tries again on
 * Linux either.
 */
function crippled({ bindings: wanted, initcalls }: Whole): boolean {
	const names = platformDevices().map(dev_name);
	return failedInitcalls() > initcalls || wanted.some((binding) => !names.includes(binding.split('/')[1]!));
}

/** Everything is bound, works, comes and goes; what is alive then. */
function work(machine: Machine, wanted: readonly string[]): Record<string, number> {
	bindAll(wanted);
	const missing = wanted.filter((binding) => !bindings().includes(binding));
	if (missing.length > 0) throw new Error(`cannot be bound: ${missing.join(', ')}`);
	for (let round = 0; round < 2; round++) {
		decode();
		display(machine);
		rebind(wanted);
	}
	for (const { name, stream } of machine.stats().dma)
		if (stream < 0) throw new Error(`${name} went past the IOMMU`);
	return slab_live();
}

function start(failure: Failure | null): Machine {
	const { machine } = bootMachine('sun50i-h6-orangepi-3', {
		memSize: 0x800_0000,
		commandLine: 'dyndbg',
		onConsole: (_level, line) => {
			if (failure !== null && line.includes('Linux version')) arm(failure);
		},
	});
	return machine;
}

function wholeBoot(): Whole {
	const machine = start(null);
	const bound = bindings();
	const initcalls = failedInitcalls();
	return { bindings: bound, initcalls, live: work(machine, bound) };
}

/** Have the allocation fail; whether there was one to fail. Throws when the kernel does not cope. */
export function failAllocation(failure: Failure): boolean {
	whole ??= wholeBoot();
	panic_state.warnings.length = 0;
	let machine: Machine;
	try {
		machine = start(failure.phase === 'boot' ? failure : null);
	} catch (error) {
		panic_state.warnings.length = 0;
		if (error instanceof kernel_bug && PANICS.test(error.message)) return true;
		throw error;
	}
	if (failure.phase === 'bind') {
		arm(failure);
		rebind(whole.bindings);
	} else if (failure.phase !== 'boot') {
		arm(failure);
		refusable(failure.phase === 'decode' ? decode : () => display(machine));
	}
	const failed = disarm();
	const known = crippled(whole) ? CRIPPLED : KNOWN;
	checkWarnings(known);
	checkGuarded();
	if (known === CRIPPLED) {
		bindAll(whole.bindings);
		rebind(whole.bindings);
	} else {
		work(machine, whole.bindings);
		const lost = kept(slab_leaks(whole.live));
		if (lost.length > 0) throw new Error(`lost: ${lost.join(', ')}`);
	}
	checkWarnings(known);
	checkGuarded();
	return failed;
}

const LIMITS: Record<Phase, number> = { boot: 1300, bind: 600, decode: 100, display: 150 };

export const allocations: FuzzTarget = {
	name: 'allocations',
	step(random) {
		const phase = pick(random, PHASES);
		const kind = random() < 0.9 ? 'slab' : 'page';
		const nth = 1 + Math.floor(random() * (kind === 'slab' ? LIMITS[phase] : 20));
		const failure: Failure = { phase, kind, nth, times: pick(random, [1, 1, 2, 5]) };
		try {
			failAllocation(failure);
		} catch (error) {
			throw new Error(`${JSON.stringify(failure)}: ${(error as Error).message}`, { cause: error });
		}
	},
};
