// SPDX-License-Identifier: GPL-2.0-only
// Import this, and a program whose standard output is lost, on a full disk or in a pipe that nobody reads, says so by
// its exit status.

const REASONS: Readonly<Record<string, string>> = {
	EPIPE: 'nobody reads it any more',
	ENOSPC: 'no space left',
};

process.stdout.once('error', (e: NodeJS.ErrnoException) => {
	// The rest is lost in the same way.
	process.stdout.on('error', () => {});
	console.error(`standard output: ${REASONS[e.code ?? ''] ?? e.message}`);
	// After the program has said how it ended.
	process.on('exit', () => {
		process.exitCode ||= 1;
	});
});
process.stderr.on('error', () => {});
