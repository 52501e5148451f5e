import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NodeGlance, OperatorLog } from '../../../src/node/operator-log.ts'

const notReady = { isReady: false, reason: 'no peers' } as const

function anObservedNode() {
  const lines: string[] = []
  const line = (level: string) => (fields: object, text: string) =>
    void lines.push(`${level} ${text} ${JSON.stringify(fields)}`)
  let nowMs = 1_000
  let next: (() => void) | undefined
  const node = {
    readiness: notReady as NodeGlance['readiness'],
    connected: [] as number[],
    finalHeight: 0,
    view: 0,
    isUnderWay: false,
    unheard: [] as number[],
  }
  const operatorLog = new OperatorLog({
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    clock: {
      nowMs: () => nowMs,
      schedule: (_, action) => {
        next = action
        return () => {
          next = undefined
        }
      },
    },
    glance: () => node,
    names: ['a', 'b', '', 'd'],
  })
  const pass = (seconds: number) => {
    for (let at = 0; at < seconds; at++) {
      nowMs += 1_000
      next?.()
    }
  }
  operatorLog.start()
  return { operatorLog, node, lines, pass, isWaiting: () => next !== undefined }
}

test('tells of validators that come and go, once each', () => {
  const { node, lines, pass } = anObservedNode()
  node.connected = [1, 2]
  pass(2)
  node.connected = [2]
  pass(2)
  const told = lines.filter((line) => line.includes('validator'))
  assert.deepEqual(told, [
    'info connected to a validator {"validator":"1 b"}',
    'info connected to a validator {"validator":"2"}',
    'info lost a validator {"validator":"1 b"}',
  ])
})

test('tells that the node is ready at once, that it no longer is when that lasts', () => {
  const { node, lines, pass } = anObservedNode()
  node.readiness = { isReady: true }
  pass(1)
  node.readiness = notReady
  pass(9)
  node.readiness = { isReady: true }
  pass(3)
  assert.deepEqual(lines, ['info ready {"height":0}'])
  node.readiness = notReady
  pass(10)
  assert.deepEqual(lines.slice(1), ['warn not ready: no peers {"height":0}'])
})

test('says why a node never became ready', () => {
  const { lines, pass } = anObservedNode()
  pass(30)
  assert.deepEqual(lines, ['warn not ready: no peers {"height":0}'])
})

test('warns of a height that does not get on, ever more rarely, and says when blocks are made again', () => {
  const { node, lines, pass } = anObservedNode()
  node.readiness = { isReady: true }
  pass(1)
  Object.assign(node, { isUnderWay: true, view: 3, unheard: [0, 3] })
  pass(14)
  assert.equal(lines.length, 1)
  pass(46)
  const about = '"height":1,"view":3'
  const missing = '"unheard":["0 a","3 d"]'
  assert.deepEqual(lines.slice(1), [
    `warn the height under way does not get on {${about},"seconds":15,${missing}}`,
    `warn the height under way does not get on {${about},"seconds":60,${missing}}`,
  ])
  node.finalHeight = 1
  pass(1)
  assert.equal(lines.at(-1), 'info blocks are made again {"height":1}')
})

test('an idle chain is nothing to warn of', () => {
  const { node, lines, pass } = anObservedNode()
  node.readiness = { isReady: true }
  pass(300)
  assert.deepEqual(lines, ['info ready {"height":0}'])
})

test('sums up once a minute what became final, and at the end', () => {
  const { operatorLog, node, lines, pass, isWaiting } = anObservedNode()
  node.readiness = { isReady: true }
  pass(1)
  operatorLog.onFinal({ messageCount: 3, failedViews: 0 })
  operatorLog.onFinal({ messageCount: 4, failedViews: 2 })
  node.finalHeight = 2
  pass(120)
  assert.deepEqual(lines.slice(1), [
    'info blocks became final {"height":2,"blocks":2,"messages":7,"failedViews":2}',
  ])
  operatorLog.onFinal({ messageCount: 1, failedViews: 0 })
  node.finalHeight = 3
  operatorLog.stop()
  assert.equal(lines.at(-1), 'info blocks became final {"height":3,"blocks":1,"messages":1,"failedViews":0}')
  assert.equal(isWaiting(), false)
})
