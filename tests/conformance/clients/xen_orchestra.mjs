// Drives npm's xen-api as Xen Orchestra does: a session, the cache of objects that events keep, tasks.
// Its folder is the first argument; on stdin: {"url", "user", "password", "transport"}. Any failure ends
// it with a status other than 0.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const { createClient } = await import(pathToFileURL(`${process.argv[2]}/node_modules/xen-api/index.mjs`))
const { url, user, password, transport } = JSON.parse(readFileSync(0, 'utf8'))
const options = { url, auth: { user, password }, transport, allowUnauthorized: true, debounce: 20 }

const refused = async (code, promise) => {
  const error = await promise.then(() => undefined, error => error)
  assert.equal(error?.code, code, String(error))
  return error.params
}

// Ends when the cache, which only events change, shows what is awaited.
const until = (xapi, ref, check) =>
  new Promise(resolve => {
    const look = () => {
      const object = xapi.getObjectByRef(ref, undefined)
      if (check(object)) {
        for (const name of ['add', 'update', 'remove']) xapi.objects.removeListener(name, look)
        resolve(object)
      }
    }
    for (const name of ['add', 'update', 'remove']) xapi.objects.on(name, look)
    look()
  })

const warnings = []
console.warn = (...words) => warnings.push(words.map(String).join(' '))

const xapi = createClient(options)
await xapi.connect()
await xapi.objectsFetched
assert.deepEqual(warnings, [], 'every class can be fetched')

// The cache holds every object, and references are followed.
const { pool } = xapi
const host = xapi.getObjectByRef(pool.master)
assert.equal(host.$type, 'host')
assert.equal(typeof host.software_version.product_version, 'string')
assert.equal(host.$metrics.live, true)
assert.ok(Array.isArray(host.$resident_VMs))
assert.ok(host.$PIFs.every(pif => pif.$network !== undefined))
const types = new Set(Object.values(xapi.objects.all).map(object => object.$type))
for (const type of ['VM', 'VM_metrics', 'host', 'host_metrics', 'network', 'PIF', 'SR', 'PBD', 'pool']) {
  assert.ok(types.has(type), `${type} is in the cache`)
}
const integer = transport === 'xml-rpc' ? String : Number
assert.deepEqual(host.API_version_major, integer(2))

// A VM, made from a template by a task whose result is a reference.
const template = Object.values(xapi.objects.all).find(o => o.$type === 'VM' && o.is_default_template)
const ref = await xapi.callAsync('VM.clone', template.$ref, 'from XO: é <&>')
let vm = await xapi.barrier(ref)
assert.equal(vm.name_label, 'from XO: é <&>')
assert.equal(vm.$id, vm.uuid)
assert.equal((await xapi.getRecordByUuid('VM', vm.uuid)).$ref, ref)
await vm.set_is_a_template(false)
await vm.set_PV_kernel('/boot/guest/vmlinuz')
await vm.set_name_description('two\nlines')
await vm.update_other_config({ 'xo:test': '1', gone: 'x' })
await vm.update_other_config('gone', null)
await vm.update_other_config('xo:test', '2')
await vm.add_tags('a tag')
vm = await xapi.barrier(ref)
assert.equal(vm.name_description, 'two\nlines')
assert.equal(vm.other_config['xo:test'], '2')
assert.equal(vm.other_config.gone, undefined)
assert.deepEqual(vm.tags, ['a tag'])

// Life and death, seen by events.
await vm.$callAsync('start', false, false)
vm = await until(xapi, ref, vm => vm.power_state === 'Running')
assert.equal(vm.$resident_on.$ref, host.$ref)
assert.ok(vm.allowed_operations.includes('clean_shutdown'))
const params = await refused('VM_BAD_POWER_STATE', vm.$callAsync('start', false, false))
assert.deepEqual(params, [ref, 'halted', 'running'])
await refused('VM_BAD_POWER_STATE', vm.$call('destroy'))
await vm.$callAsync('clean_shutdown')
vm = await until(xapi, ref, vm => vm.power_state === 'Halted')
await vm.$call('destroy')
await until(xapi, ref, vm => vm === undefined)
await refused('HANDLE_INVALID', xapi.call('VM.get_record', ref))
await refused('UUID_INVALID', xapi.call('VM.get_by_uuid', 'none'))

// A task of the client's own.
const task = await xapi.createTask('mine', 'told by events')
await xapi.call('task.set_status', task, 'success')
assert.equal(await xapi.watchTask(task), '')

// The session may go: the client comes in again by itself.
const before = xapi.sessionId
await xapi._call('session.logout', [before])
assert.equal(await xapi.getField('host', host.$ref, 'uuid'), host.uuid)
assert.notEqual(xapi.sessionId, before)
await xapi.disconnect()

const stranger = createClient({ ...options, auth: { user, password: 'wrong' }, watchEvents: false })
await refused('SESSION_AUTHENTICATION_FAILED', stranger.connect())
process.exit(0)
