// SPDX-License-Identifier: GPL-2.0-only
// The fewest parts of a whole that still fail (delta debugging: Zeller and Hildebrandt, "Simplifying and isolating
// failure-inducing input", 2002).

/**
 * @parts cut down as long as @fails holds for what is left: at the end not one can be taken away. @fails holds for all
 * of them; it is asked at most @tries times.
 */
export function shrink<T>(
	parts: readonly T[],
	fails: (parts: readonly T[]) => boolean,
	tries = Number.POSITIVE_INFINITY,
): readonly T[] {
	let left = parts;
	let asked = 0;
	for (let size = Math.ceil(left.length / 2); size >= 1 && asked < tries; ) {
		let cut = false;
		for (let at = 0; at < left.length && asked < tries; ) {
			const without = [...left.slice(0, at), ...left.slice(at + size)];
			asked++;
			if (fails(without)) {
				left = without;
				cut = true;
			} else at += size;
		}
		// Of single parts one may go only after another has: once more until none does.
		if (size > 1) size = Math.ceil(size / 2);
		else if (!cut) break;
	}
	return left;
}
