// SPDX-License-Identifier: GPL-2.0-only
// Lists that change at their ends, mostly: there splice(), which makes a list of what it has taken away, is not needed.

/** Put @item before what is at @i of @list. */
export function insertAt<T>(list: T[], i: number, item: T): void {
	if (i === list.length) list.push(item);
	else list.splice(i, 0, item);
}

/** Take what is at @i out of @list. */
export function takeAt<T>(list: T[], i: number): void {
	if (i === list.length - 1) list.pop();
	else list.splice(i, 1);
}
