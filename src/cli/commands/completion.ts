// `diseq completion`: what a shell needs to complete commands and options, made from the program itself.
import { Argument, type Command } from 'commander'
import { type CommonOptions, type Context, newCommand } from '../command.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

export function addCompletionCommand(program: Command, { terminal }: Context): void {
  newCommand(program, 'completion', 'print a completion script; for bash: source <(diseq completion bash)')
    .addArgument(new Argument('<shell>', 'for which shell').choices(shells))
    .action((shell: Shell, { json }: CommonOptions) => {
      const script = scriptFor(shell, program)
      terminal.print(json ? JSON.stringify({ shell, script }) : script)
    })
}

/** A command's words (`signing import`), and what may follow them. */
interface Place {
  readonly words: string
  readonly next: readonly string[]
}

function placesOf(command: Command, words = ''): Place[] {
  const names = command.commands.map((child) => child.name())
  const options = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => (long ? [long] : []))
  const below = command.commands.flatMap((child) => placesOf(child, `${words} ${child.name()}`.trim()))
  return [{ words, next: [...names, ...options] }, ...below]
}

function scriptFor(shell: Shell, program: Command): string {
  const places = placesOf(program)
  switch (shell) {
    case 'bash':
      return bashScript(places)
    case 'zsh':
      return `#compdef diseq\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`
    case 'fish':
      return fishScript(places)
  }
}

function bashScript(places: readonly Place[]): string {
  const cases = places.map(({ words, next }) => `    '${words}') next='${next.join(' ')}' ;;`)
  return `_diseq() {
  local current=\${COMP_WORDS[COMP_CWORD]} place='' next='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) [ -n "$(_diseq_next "$place \${word}")" ] && place="\${place:+$place }$word" ;; esac
  done
  next=$(_diseq_next " $place")
  COMPREPLY=($(compgen -W "$next" -- "$current"))
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))
}
_diseq_next() {
  local next='' place=\${1# }
  case "$place" in
${cases.join('\n')}
  esac
  printf '%s' "$next"
}
complete -o filenames -F _diseq diseq`
}

function fishScript(places: readonly Place[]): string {
  return places
    .flatMap(({ words, next }) => {
      const condition =
        words === ''
          ? '__fish_use_subcommand'
          : words
              .split(' ')
              .map((word) => `__fish_seen_subcommand_from ${word}`)
              .join('; and ')
      return next.map((word) =>
        word.startsWith('--')
          ? `complete -c diseq -n '${condition}' -l ${word.slice(2)}`
          : `complete -c diseq -f -n '${condition}' -a ${word}`,
      )
    })
    .join('\n')
}
