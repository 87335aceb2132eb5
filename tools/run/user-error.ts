// SPDX-License-Identifier: GPL-2.0-only
// What the user can mend: one clear line, a non-zero exit, no stack trace.

/** The message names the file or option, the place, and what was expected. */
export class UserError extends Error {}
