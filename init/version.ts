// SPDX-License-Identifier: GPL-2.0-only
// Which kernel this is.
// Linux 6.12: init/version.c, init/version-timestamp.c

/** What uname() would say (init/version-timestamp.c: init_uts_ns.name). */
export const init_uts_ns = { release: '6.12.117', version: '(TypeScript)' } as const;

export const linux_banner = `Linux version ${init_uts_ns.release} ${init_uts_ns.version}`;
