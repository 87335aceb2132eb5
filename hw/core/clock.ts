// SPDX-License-Identifier: GPL-2.0-only
// Virtual time in nanoseconds, and what is to happen when.

/** Something planned. Cancelled ones stay in the heap until their time, and do nothing. */
interface Planned {
	readonly time: number;
	readonly seq: number;
	fn: (() => void) | null;
}

/**
 * One queue for the whole machine. Events run in order of time, equal times in the order they were planned:
 * every run of the same program is the same. Time only moves through advance().
 */
export class Clock {
	/** Nanoseconds since power-on. */
	now = 0;
	/** When the next event is due; Infinity when none is. */
	next = Number.POSITIVE_INFINITY;
	/** Called after each event that ran: the machine delivers interrupts here. */
	afterEvent: (() => void) | null = null;

	#heap: Planned[] = [];
	#seq = 0;
	#ran = 0;

	/** How many events have run. */
	get eventsRun(): number {
		return this.#ran;
	}

	/** Plan @fn at @time (not before now); the result cancels it. */
	at(time: number, fn: () => void): () => void {
		const planned: Planned = { time: Math.max(time, this.now), seq: this.#seq++, fn };
		this.#push(planned);
		return () => {
			planned.fn = null;
			this.#dropCancelled();
		};
	}

	/** Plan @fn in @ns. */
	after(ns: number, fn: () => void): () => void {
		return this.at(this.now + ns, fn);
	}

	/** Let @ns pass and run what is due. May be called again from within an event. */
	advance(ns: number): void {
		const target = this.now + ns;
		if (this.next <= target) this.#runUntil(target);
		if (this.now < target) this.now = target;
	}

	/** Go to the next event and run it; false when there is none up to @deadline (time then stands there). */
	step(deadline: number): boolean {
		if (this.next > deadline || this.#heap.length === 0) {
			if (deadline !== Number.POSITIVE_INFINITY && this.now < deadline) this.now = deadline;
			return false;
		}
		this.#runOne();
		return true;
	}

	#runUntil(target: number): void {
		while (this.next <= target) this.#runOne();
	}

	#runOne(): void {
		const planned = this.#pop();
		if (this.now < planned.time) this.now = planned.time;
		this.#dropCancelled();
		const { fn } = planned;
		if (fn === null) return;
		planned.fn = null;
		this.#ran++;
		fn();
		this.afterEvent?.();
	}

	#dropCancelled(): void {
		while (this.#heap.length > 0 && this.#heap[0].fn === null) this.#pop();
		this.next = this.#heap.length > 0 ? this.#heap[0].time : Number.POSITIVE_INFINITY;
	}

	#push(planned: Planned): void {
		const heap = this.#heap;
		let i = heap.length;
		heap.push(planned);
		while (i > 0) {
			const parent = (i - 1) >> 1;
			if (!before(planned, heap[parent])) break;
			heap[i] = heap[parent];
			i = parent;
		}
		heap[i] = planned;
		this.next = heap[0].time;
	}

	#pop(): Planned {
		const heap = this.#heap;
		const top = heap[0];
		const last = heap.pop()!;
		const size = heap.length;
		if (size > 0) {
			let i = 0;
			for (;;) {
				let child = 2 * i + 1;
				if (child >= size) break;
				if (child + 1 < size && before(heap[child + 1], heap[child])) child++;
				if (!before(heap[child], last)) break;
				heap[i] = heap[child];
				i = child;
			}
			heap[i] = last;
		}
		this.next = size > 0 ? heap[0].time : Number.POSITIVE_INFINITY;
		return top;
	}
}

function before(a: Planned, b: Planned): boolean {
	return a.time < b.time || (a.time === b.time && a.seq < b.seq);
}
