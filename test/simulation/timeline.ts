import type { Happening } from './history.ts'
import { pathsOf, type World } from './world.ts'

/** Longer than anybody reads: the end is what matters then. */
const mostRows = 150

/**
 * What happened on each path, as a person reads it:
 *
 *     p0
 *        0.000 s  c0.1 append p0         c0.1 append p0      lines.enter -> entered
 *       34.100 s  c0.1 append p0         w7                  objects.put -> done
 */
export const timelines = (world: World): string => {
  const paths = new Set<string>()
  for (const wish of world.wishes.values()) for (const path of pathsIn(world, wish.id)) paths.add(path)
  return [...paths]
    .toSorted()
    .map((path) => timelineOf(world, path))
    .join('\n\n')
}

const pathsIn = (world: World, id: string | undefined): string[] => {
  const request = id === undefined ? undefined : world.wishes.get(id)?.request
  if (request === undefined) return []
  return pathsOf(request)
}

const timelineOf = (world: World, path: string): string => {
  const own = world.history.happenings.filter((happening) => isOn(world, happening, path))
  const rows = own.slice(-mostRows).map((happening) => rowOf(world, happening))
  const cut = own.length > mostRows ? [`    ... ${own.length - mostRows} more before`] : []
  return [path, ...cut, ...rows].join('\n')
}

const isOn = (world: World, happening: Happening, path: string): boolean =>
  happening.path === undefined ? pathsIn(world, happening.operation).includes(path) : happening.path === path

const rowOf = (world: World, { atMs, who, what, operation }: Happening): string => {
  const seconds = (atMs / 1000).toFixed(3).padStart(9)
  return `${seconds} s  ${world.label(operation).padEnd(22)} ${who.padEnd(22)} ${what}`
}
