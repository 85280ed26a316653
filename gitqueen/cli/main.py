"""The front door: the list of commands, and the one boundary where errors become words and exit codes.

A command's module is imported only when it is called: `iam` must not pay for what `doctor` needs.
"""

from __future__ import annotations

import gc

# A command lives 60 ms and makes no garbage worth collecting: looking for it while importing costs some of them.
gc.disable()

import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from gitqueen import __version__, errors

COMMANDS = {
    "status": ("look", "Who works where on what; claims, conflicts, mail."),
    "onboard": ("look", "What a session reads when it wakes."),
    "whoami": ("declare", "The sister this process belongs to; rename her."),
    "iam": ("declare", "Declare, show or finish your task."),
    "tell": ("mail", "Send mail to a sister, @all or @repo."),
    "inbox": ("mail", "Read your mail."),
    "ack": ("mail", "Acknowledge mail."),
    "claim": ("claim", "Take an exclusive claim on a domain or on paths."),
    "release": ("claim", "Give a claim back."),
    "claims": ("claim", "List the claims."),
    "check": ("collide", "Would editing or committing these paths collide now?"),
    "conflicts": ("collide", "Open conflicts."),
    "resolve": ("collide", "Mark a conflict as resolved."),
    "history": ("look", "The hive's log."),
    "rescue": ("rescue", "Snapshots of uncommitted work: list, show, diff, restore."),
    "provenance": ("credit", "Which sister and task stand behind a commit."),
    "blame": ("credit", "git's blame, with the sister and task behind each line."),
    "log": ("credit", "git's log, with the sister and task behind each commit."),
    "hooks": ("hooks", "Install, remove or look at the git hooks."),
    "hook": ("attend", "What an agent's hook runs: JSON on stdin."),
    "agents": ("agents", "Arm the agents' own hooks; the paragraph for AGENTS.md."),
    "mcp": ("mcp", "Serve MCP: the same services as tools."),
    "statusline": ("agents", "One line for an agent's status line."),
    "scan": ("look", "One look around."),
    "focus": ("focus", "Bring a sister's terminal window to the front."),
    "cron": ("cron", "Jobs that the clock will run, and which repository each touches."),
    "repos": ("repos", "Repositories that are looked at without a sister in them."),
    "daemon": ("daemon", "The clock that looks around every 30 s: run, start, stop, status."),
    "install": ("setup", "Hooks everywhere, agents and daemon in one step."),
    "uninstall": ("setup", "Undo all that install did."),
    "doctor": ("doctor", "Everything that could be wrong, each with its mend."),
    "demo": ("demo", "A throw-away hive: two sisters declare, mail, claim and collide."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class Commands(click.Group):
    """A group whose commands live in modules that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        module = import_module(f"gitqueen.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return _laid_out(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from gitqueen.model import names

            near = names.nearest(args[0], COMMANDS)
            hint = f". Did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"there is no command {ascii(args[0])}{hint}", ctx)
        if ctx.params.get("as_json"):
            args = [args[0], "--json", *args[1:]]  # `gitqueen --json history`
        return super().resolve_command(ctx, args)


def _laid_out(command: click.Command) -> click.Command:
    """Help that can be pasted: each example on a line of its own, and what a group's commands do in whole sentences."""
    if command.epilog and not command.epilog.startswith("\b"):
        head, _, rest = command.epilog.partition(": ")
        command.epilog = f"\b\n{head}: " + rest.replace("   ", "\n" + " " * (len(head) + 2))
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        inner.short_help = " ".join((inner.help or "").split("\n\n")[0].split()).split(". ")[0].rstrip(".") + "."
        _laid_out(inner)
    return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='\b\nExamples: gitqueen onboard\n          iam "fixing #42"\n          queen tell iza-2 "done?"',
)
@click.version_option(__version__, prog_name="gitqueen")
@click.option("--json", "as_json", is_flag=True, help="Status as one JSON object.")
@click.pass_context
def group(ctx: click.Context, as_json: bool) -> None:
    """gitqueen: the AI coding sessions on this machine know of each other, inside git.

    Bare `gitqueen` is `gitqueen status`; `queen` is its short name.
    """
    if ctx.invoked_subcommand is None:
        from gitqueen.cli.look import status

        ctx.invoke(status, repo=None, every=False, as_json=as_json)


COMPLETE = "_GITQUEEN_COMPLETE"
"""The variable by which a shell asks for completions, as click names it."""


def main() -> NoReturn:
    """`gitqueen` and `queen`."""
    _open_streams()
    if COMPLETE in os.environ:
        group.main(prog_name="gitqueen", complete_var=COMPLETE)
    _leave(run(sys.argv[1:]))


def iam() -> NoReturn:
    """`iam` is `gitqueen iam`."""
    _open_streams()
    if COMPLETE in os.environ:
        from gitqueen.cli import declare

        declare.iam.main(prog_name="iam", complete_var=COMPLETE)
    _leave(run(["iam", *sys.argv[1:]]))


def _open_streams() -> None:
    """Descriptors 0, 1 and 2 open, and text as UTF-8 whatever the locale says."""
    if sys.getfilesystemencoding() != "utf-8":
        # Arguments and paths were read as something else: only from the start can that be put right.
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:  # closed: the next file opened would get this number, and our answer
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", encoding="utf-8"))
        elif descriptor:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _leave(code: int) -> NoReturn:
    """End without taking the interpreter down, and without closing the database.

    Whoever is the last to close it empties its log into it: four fsyncs more, a third of what `tell` costs. The next
    command reads the log; whoever fills it (1,000 pages) empties it.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads us any more
    os._exit(code)


def run(argv: Sequence[str]) -> int:
    """Do what `argv` says and return the exit code; the only place where a fault becomes words."""
    try:
        try:
            # Not group.main: click would make a closed pipe an exit 1.
            with group.make_context("gitqueen", list(argv)) as context:
                answer = group.invoke(context)
            sys.stdout.flush()
            return answer if isinstance(answer, int) else 0
        except click.exceptions.Exit as done:
            sys.stdout.flush()
            return done.exit_code
        except click.exceptions.NoArgsIsHelpError as fault:
            if wants_json(argv) or fault.ctx is None:
                return _fail(argv, errors.Usage("which of its commands?", hint="gitqueen --help"))
            print(fault.ctx.get_help(), file=sys.stderr)
            return errors.Usage.exit_code
        except click.ClickException as fault:
            hint = "gitqueen --help" if fault.ctx is None else f"{fault.ctx.command_path} --help"  # type: ignore[attr-defined]
            return _fail(argv, errors.Usage(fault.format_message(), hint=hint))
        except errors.GitqueenError as fault:
            return _fail(argv, fault)
        except click.Abort:  # Ctrl-C, or the end of input, at a question
            raise
        except Exception as fault:
            if _unwritable(fault):
                raise
            return _crash(argv, fault)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except OSError as fault:
        # What is left in the buffer must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(fault, BrokenPipeError):
            return 0  # the reader (head, a pager) has seen enough
        return _fail([], errors.CannotWork(f"the answer cannot be written: {fault.strerror}"))


def _unwritable(fault: Exception) -> bool:
    """Whether it is stdout that takes no more: a closed pipe, a full disk. A file would be named."""
    if not isinstance(fault, OSError) or fault.filename is not None:
        return False
    return isinstance(fault, BrokenPipeError) or fault.errno in (errno.ENOSPC, errno.EIO)


def wants_json(argv: Sequence[str]) -> bool:
    """Whether `--json` is ours: not behind `--`, where a claimed command has its own options."""
    ours = argv[: list(argv).index("--")] if "--" in argv else argv
    return "--json" in ours


def _fail(argv: Sequence[str], fault: errors.GitqueenError) -> int:
    from gitqueen.views import faults

    if isinstance(fault, errors.Unwritable):
        from gitqueen.services import identifying

        fault.hint = identifying.how_to_write(os.environ) or fault.hint
    if wants_json(argv):
        print(faults.as_json(fault), flush=True)
    else:
        try:
            print(faults.as_text(fault, sys.stderr.isatty() and not os.environ.get("NO_COLOR")), file=sys.stderr)
        except OSError:
            pass  # the exit code says it too
    return fault.exit_code


def _crash(argv: Sequence[str], fault: Exception) -> int:
    from gitqueen import crashes

    path = crashes.log(os.environ, fault)
    where = f"the traceback is in {path}" if path else "it could not be logged"
    bug = errors.GitqueenError(f"a bug of gitqueen: {type(fault).__name__}: {fault}", hint=where)
    return _fail(argv, bug)
