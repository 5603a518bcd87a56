"""Drives the official Python SDK of VergeOS against the server in VERGE_HOST with the credentials in VERGE_USERNAME and
VERGE_PASSWORD, which must hold the demonstration of the playground.

    driver.py steps             every call of the SDK in turn; one JSON line each: step, ok, value or error
    driver.py coverage          the same, and then one line: how many public methods there are, and which were never
                                called with success

Steps share one system and run in the order of their declaration. A call that must fail is made with `fails`.
"""

import importlib
import inspect
import json
import os
import pkgutil
import sys
import tempfile
import time
import traceback
import types
from datetime import datetime, timedelta, timezone

import pyvergeos.client
import pyvergeos.resources
from pyvergeos import VergeClient
from pyvergeos.exceptions import APIError, FieldNotProjectedError, NotFoundError, VergeError
from pyvergeos.resources.base import Projected, ResourceManager, ResourceObject

steps = []


def step(name):
    """Declares the function as a step; what it returns is the value."""

    def declare(function):
        steps.append((name, function))
        return function

    return declare


# The SDK waits for seconds where the simulator is done in a moment. What it does after that is the same.
really_sleep = time.sleep
time.sleep = lambda seconds: really_sleep(min(seconds, 0.1))

# Coverage: every public method of every class of the SDK, wrapped where it is defined.

called = set()
methods = set()


def wrap(cls, name, raw):
    full = f"{cls.__module__.rsplit('.', 1)[-1]}.{cls.__name__}.{name}"
    methods.add(full)
    function = raw.__func__ if isinstance(raw, (staticmethod, classmethod)) else raw

    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        called.add(full)
        return result

    setattr(cls, name, type(raw)(wrapper) if isinstance(raw, (staticmethod, classmethod)) else wrapper)


def watch():
    names = [module.name for module in pkgutil.iter_modules(pyvergeos.resources.__path__)]
    modules = [importlib.import_module(f"pyvergeos.resources.{name}") for name in names] + [pyvergeos.client]
    for module in modules:
        for cls in list(vars(module).values()):
            if not inspect.isclass(cls) or cls.__module__ != module.__name__ or cls.__name__.startswith("_"):
                continue
            for name, raw in list(vars(cls).items()):
                if not name.startswith("_") and isinstance(raw, (types.FunctionType, staticmethod, classmethod)):
                    wrap(cls, name, raw)


watch()
client = VergeClient.from_env()

# How to work with what the SDK has.


def until(true, what):
    """Waits for what the server does by itself."""
    deadline = time.monotonic() + 20
    while not (value := true()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain for {what}")
        time.sleep(0.05)
    return value


def fails(kind, function, *args, **kwargs):
    """What the error says that this call must raise."""
    try:
        result = function(*args, **kwargs)
    except kind as error:
        return str(error)
    raise RuntimeError(f"it did not raise {kind.__name__}, but returned {result!r}")


def look(thing):
    """Reads every public property of an object: what the server sent must be of the types that they expect."""
    for name, value in inspect.getmembers(type(thing)):
        # What is no row has no key.
        if name.startswith("_") or name == "key" or not isinstance(value, (property, Projected)):
            continue
        try:
            getattr(thing, name)
        except FieldNotProjectedError:
            pass
        except Exception as error:
            raise RuntimeError(f"{type(thing).__name__}.{name}: {type(error).__name__}: {error}") from error
    repr(thing)
    return thing


def look_all(things):
    for thing in things:
        look(thing)
    return things


# What the parameters that lists demand may be.
SAMPLES = {
    "level": "error",
    "object_type": "vm",
    "user": "admin",
    "owner_type": "vms",
    "status": "idle",
    "text": "was",
    "days": 30,
    "table": "vms",
    "owner": 1,
    "owner_key": 1,
    "action": "poweron",
    "task_key": 1,
    "schedule_key": 1,
    "device_type": "PCI",
    "device_class": "usb",
    "cert_type": "SelfSigned",
    "tenant_key": 1,
    "site_key": 1,
    "sync_key": 1,
    "vm_key": 1,
    "nic_key": 1,
}


def lists(manager):
    """Calls every list that a manager has."""
    for name in dir(type(manager)):
        if name != "list" and not name.startswith("list_"):
            continue
        function = getattr(manager, name)
        if not callable(function):
            continue
        parameters = inspect.signature(original(manager, name)).parameters
        needed = [p for p in parameters.values() if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        needed = [p for p in needed if p.name != "self"]
        if all(p.name in SAMPLES for p in needed):
            look_all(function(**{p.name: SAMPLES[p.name] for p in needed}) or [])
    return manager.list() if hasattr(manager, "list") else []


def original(manager, name):
    """A method as the SDK wrote it, below the wrapper."""
    for cls in type(manager).__mro__:
        if name in vars(cls):
            raw = vars(cls)[name]
            return next(cell.cell_contents for cell in raw.__closure__ if inspect.isfunction(cell.cell_contents))
    raise AttributeError(name)


def read(manager, **by):
    """Lists a table, and gets its first row by its key and by its name."""
    rows = lists(manager)
    if rows and hasattr(manager, "get"):
        look(manager.get(rows[0].key))
        for parameter, column in by.items():
            assert manager.get(**{parameter: rows[0][column]}).key == rows[0].key
    return len(rows)


def life(manager, create, update=None, name="name", verbs=(), objects=(), keep=False, parameter=None):
    """A row from its making to its end, twice: once by its manager and once by itself.

    `verbs` are methods of the manager that take a key, `objects` those of the object that take nothing.
    """
    column = name
    parameter = parameter or name

    def make():
        return manager.create(**create)

    thing = look(make())
    lists(manager)
    key = thing.key
    look(manager.get(key))
    if column:
        assert manager.get(**{parameter: thing[column]}).key == key, "another row has its name"
    if update:
        look(manager.update(key, **update))
        row = manager.get(key)
        for field, value in update.items():
            if field in row and not isinstance(value, (list, dict)):
                assert row[field] == value, f"{field} is {row[field]!r}, not {value!r}"
    manager.delete(key)
    fails(NotFoundError, manager.get, key)
    thing = look(make())
    for verb in verbs:
        getattr(manager, verb)(thing.key)
    for verb in objects:
        getattr(manager.get(thing.key), verb)()
    thing = manager.get(thing.key)
    thing.refresh()
    if update and type(manager).update is not ResourceManager.update:
        thing.save(**update)
    if keep:
        return manager.get(thing.key)
    thing.delete()
    fails(NotFoundError, manager.get, thing.key)
    return True


now = int(time.time())


@step("connection")
def _():
    with VergeClient.from_env() as other:
        assert other.is_connected
        version = other.version
    environment = dict(os.environ)
    wrong = VergeClient(
        environment["VERGE_HOST"], username=environment["VERGE_USERNAME"], password="wrong", verify_ssl=False, auto_connect=False
    )
    said = fails(VergeError, wrong.connect)
    client.users.list(filter="name eq 'admin'")
    other.connect()
    other.disconnect()
    return {"version": version, "cloud": client.cloud_name, "refused": said}


@step("base")
def _():
    manager = client.vms
    names = [vm.name for vm in manager.iter_all(page_size=2)]
    assert len(names) == len(manager.list())
    vm = manager.list(limit=1)[0]
    vm.update({"description": "changed"})
    vm.setdefault("nothing", None)
    assert vm.require_projected("name") == vm.name and vm.require_projected_any("bogus", "name") == vm.name
    type(vm).projected_entries()
    fails(FieldNotProjectedError, vm.require_projected, "bogus")
    dict.pop(vm, "nothing")
    vm._dirty.discard("nothing")
    vm.save()
    assert manager.get(vm.key).description == "changed"
    row = ResourceManager.create(client.tag_categories, name="base")
    ResourceManager.update(client.tag_categories, int(row["$key"]), description="x")
    ResourceManager.delete(client.tag_categories, int(row["$key"]))
    return [name for name in names if name in ("web01", "build01")]


@step("filters")
def _():
    made = [client.tag_categories.create(name=name) for name in ("o'brien", "a{x}b", "back\\slash", "a*b", "ab")]
    found = [client.tag_categories.get(name=row.name).key == row.key for row in made]
    patterns = [len(client.vms.list(name=pattern)) for pattern in ("web*", "*01", "*b0*", "web0?", "w*1", "*")]
    states = sorted({vm.status for vm in client.vms.list(filter="machine#status#status eq 'running'")})
    said = fails(APIError, client.vms.list, filter="name like 'web'")
    for row in made:
        row.delete()
    return {"found": found, "patterns": patterns, "states": states, "said": said}


# Virtual machines


@step("vms")
def _():
    lists(client.vms)
    vm = look(client.vms.create("made", ram=1000, cpu_cores=2, cloud_init="#cloud-config\n"))
    assert vm.ram == 1024 and client.vms.get(name="made").key == vm.key
    assert client.vms.update(vm.key, ram=2048, description="more").ram == 2048
    vm.power_on()
    until(lambda: client.vms.get(vm.key).is_running, "it to run")
    said = fails(APIError, client.vms.delete, vm.key)
    for verb in (vm.reset, vm.guest_reboot, vm.migrate):
        verb()
        until(lambda: client.vms.get(vm.key).status == "running", "it to settle")
    vm.hotplug_drive("hot", 1 << 30)
    vm.hotplug_nic("hot", client.networks.get(name="Internal").key)
    look(vm.stats.get()), look(vm.machine_status.get())
    lists(vm.machine_logs)
    vm.machine_logs.get(vm.machine_logs.list()[0].key)
    vm.stats.history_short(), vm.stats.history_long()
    vm.get_console_info()
    vm.hibernate()
    until(lambda: client.vms.get(vm.key).status == "hibernated", "it to sleep")
    vm.power_on()
    until(lambda: client.vms.get(vm.key).is_running, "it to wake")
    vm.guest_shutdown()
    until(lambda: client.vms.get(vm.key).status == "stopped", "it to stop")
    vm.move(node=2)
    vm.set_cloudinit_datasource("NoCloud")
    copy = vm.clone("copy")
    client.vms.delete(int(copy["response"]["vmkey"]))
    vm.favorite()
    assert vm.is_favorite()
    vm.unfavorite()
    tag = client.tags.list()[0]
    vm.tag(tag.key)
    tags = [row["tag_name"] for row in vm.get_tags()]
    vm.untag(tag.key)
    vm.power_on()
    vm.power_off(force=True)
    client.vms.get(vm.key).delete()
    return {"said": said, "tags": tags}


@step("vm.drives")
def _():
    vm = client.vms.get(name="build01")
    drive = vm.drives.create(size_gb=1, name="data")
    look_all(vm.drives.list())
    assert vm.drives.get(name="data").key == drive.key
    vm.drives.update(drive.key, description="grown")
    look(vm.drives.get(drive.key)).apply_universal_vars()
    vm.drives.apply_universal_vars(drive.key)
    from pyvergeos.resources.drive_stats import MachineDriveStatsManager

    stats = MachineDriveStatsManager(client, drive.key)
    look_all(stats.list())
    look(stats.get())
    lists(client.machine_drive_stats)
    vm.drives.delete(drive.key)
    image = client.files.get(name="debian-13-generic-amd64.qcow2")
    imported = vm.drives.import_drive(file_key=image.key, name="imported")
    until(lambda: vm.drives.get(imported.key)["media"] == "disk", "the import")
    vm.drives.delete(imported.key)
    return fails(NotFoundError, vm.drives.get, drive.key)


@step("vm.nics")
def _():
    vm = client.vms.get(name="build01")
    nic = vm.nics.create(network=client.networks.get(name="Internal").key, name="second")
    look_all(vm.nics.list())
    assert vm.nics.get(name="second").key == nic.key
    vm.nics.update(nic.key, description="x")
    look(vm.nics.get(nic.key))
    lists(client.machine_nics)
    look(client.machine_nics.get(nic.key))
    client.machine_nics.get(name="second")
    for scoped in (client.machine_nic_stats, client.machine_nic_status, client.machine_nic_fabric_status):
        lists(scoped)
    vm.nics.delete(nic.key)
    return True


@step("vm.devices")
def _():
    vm = client.vms.get(name="build01")
    groups = client.resource_groups
    pci = groups.create_pci("pci")
    made = [
        vm.devices.create_tpm(name="tpm"),
        vm.devices.create_pci(pci.key, name="pci"),
        vm.devices.create_usb(pci.key, name="usb"),
        vm.devices.create_sriov_nic(pci.key, name="nic"),
        vm.devices.create_host_gpu(pci.key, name="gpu"),
        vm.devices.create_vgpu(pci.key, name="vgpu"),
        vm.devices.create("tpm", name="second"),
    ]
    look_all(vm.devices.list())
    vm.devices.update(made[0].key, description="x")
    assert vm.devices.get(name="tpm").key == made[0].key
    look(vm.devices.get(made[1].key)).save(description="y")
    for device in made[1:]:
        vm.devices.delete(device.key)
    vm.devices.get(made[0].key).delete()
    pci.delete()
    return len(vm.devices.list())


@step("vm.snapshots")
def _():
    vm = client.vms.get(name="desktop")
    made = vm.snapshots.create(name="before")
    look_all(vm.snapshots.list())
    snapshot = vm.snapshots.get(name="before")
    assert str(snapshot.key) == made["$key"]
    said = fails(APIError, vm.snapshots.create, name="before")
    client.vms.update(vm.key, description="after")
    vm.snapshots.restore(snapshot.key, replace_original=True)
    restored = client.vms.get(vm.key).description
    made = vm.snapshots.restore(snapshot.key, name="from snapshot")
    look(vm.snapshots.get(snapshot.key)).restore(name="from object")
    client.vms.get(vm.key).restore(snapshot.key)
    vm.snapshots.delete(snapshot.key)
    for name in ("from snapshot", "from object"):
        client.vms.get(name=name).delete()
    again = vm.snapshots.get(int(vm.snapshots.create(name="again")["$key"]))
    again.delete()
    return {"said": said, "restored": restored, "made": bool(made)}


@step("vm.cloudinit")
def _():
    vm = client.vms.get(name="desktop")
    life(
        client.cloudinit_files,
        {"vm_key": vm.key, "name": "/user-data", "contents": "#cloud-config\n"},
        {"contents": "#cloud-config\nhostname: x\n"},
        name=None,
    )
    file = vm.cloudinit_files.create("/meta-data", contents="a: b\n")
    look_all(vm.cloudinit_files.list())
    vm.cloudinit_files.get(name="/meta-data"), vm.cloudinit_files.get(file.key)
    client.cloudinit_files.list_for_vm(vm.key)
    text = [client.cloudinit_files.get_content(file.key), file.get_content()]
    file.delete()
    return text


@step("vm.imports")
def _():
    with tempfile.NamedTemporaryFile(suffix=".ova") as package:
        package.write(b"ova")
        package.flush()
        file = client.files.upload(package.name, name="appliance.ova")
    manager = client.vm_imports
    life(manager, {"name": "appliance", "file": file.key}, None, verbs=("start_import", "abort_import"), objects=("start", "abort"))
    made = manager.create("appliance", file=file.key)
    manager.update(made.key, preserve_macs=False)
    manager.get(made.key).save(preserve_macs=True)
    manager.start_import(made.key)
    until(lambda: manager.get(made.key)["status"] == "complete", "the import")
    read(client.vm_import_logs)
    read(manager.logs(made.key))
    client.vms.get(name="appliance").delete()
    made.delete()
    client.files.delete(file.key)
    return True


@step("recipes")
def _():
    recipe = client.vm_recipes.get(name="Debian 13")
    read(client.vm_recipes, name="name")
    client.vm_recipes.update(recipe.key, description="x")
    recipe.save(description="y"), recipe.download(), client.vm_recipes.download(recipe.key)
    simulated = client.vm_recipe_instances.simulate(recipe.key, "tried", answers={"HOSTNAME": "tried"})
    one = recipe.deploy("one", answers={"HOSTNAME": "one"})
    client.vm_recipes.deploy(recipe.key, "two", answers={"HOSTNAME": "two"})
    read(client.vm_recipe_instances, name="name")
    read(client.vm_recipes.instances(recipe.key))
    read(client.vm_recipe_logs), read(client.vm_recipes.logs(recipe.key))
    made = client.vm_recipe_instances.create(recipe.key, "three", answers={"HOSTNAME": "x"})
    client.vm_recipe_instances.update(made.key, auto_update=True)
    for name in ("one", "two", "three"):
        client.vm_recipe_instances.delete(client.vm_recipe_instances.get(name=name).key)
        client.vms.get(name=name).delete()
    sections = client.recipe_sections
    life(sections, {"name": "extra", "recipe_ref": recipe.key}, {"description": "x"})
    section = sections.list()[0]
    life(
        client.recipe_questions,
        {"name": "EXTRA", "recipe_ref": f"vm_recipes/{recipe.key}", "section": section.key, "question_type": "string"},
        {"hint": "x"},
    )
    look_all(sections.questions(section.key).list())
    assert one
    # The manager of recipes makes none, so what goes is what the demonstration has.
    client.vm_recipes.delete(client.vm_recipes.get(name="Alpine").key), recipe.delete()
    return sorted(simulated)


@step("tenants")
def _():
    manager = client.tenants
    tenant = look(manager.create("acme", password="secret"))
    lists(manager)
    assert manager.get(name="acme").key == tenant.key
    manager.update(tenant.key, description="x"), tenant.save(note="y")
    manager.power_on(tenant.key)
    until(lambda: manager.get(tenant.key).is_running, "it to run")
    manager.reset(tenant.key), manager.get(tenant.key).reset()
    said = fails(APIError, manager.delete, tenant.key)
    manager.power_off(tenant.key)
    until(lambda: not manager.get(tenant.key).is_running, "it to stop")
    tenant = manager.get(tenant.key)
    tenant.power_on()
    until(lambda: manager.get(tenant.key).is_running, "it to run")
    manager.get(tenant.key).restart(), manager.restart(tenant.key)
    until(lambda: manager.get(tenant.key).status == "running", "it to run")
    manager.get(tenant.key).power_off()
    until(lambda: not manager.get(tenant.key).is_running, "it to stop")
    manager.clone(tenant.key, name="acme2"), tenant.clone("acme3")
    for name in ("acme2", "acme3"):
        manager.delete(manager.get(name=name).key)
    manager.enable_isolation(tenant.key), manager.disable_isolation(tenant.key)
    tenant.enable_isolation(), manager.get(tenant.key).disable_isolation()
    file = client.files.list()[0]
    manager.send_file(tenant.key, file.key), tenant.send_file(file.key)
    manager.create_crash_cart(tenant.key), manager.delete_crash_cart(tenant.key)
    tenant.create_crash_cart(), tenant.delete_crash_cart()
    return said


@step("tenant.parts")
def _():
    tenant = client.tenants.get(name="acme")
    external = client.networks.get(name="External")
    life(tenant.nodes, {"cpu_cores": 2, "ram_gb": 4, "name": "node1"}, {"cpu_cores": 4})
    node = tenant.nodes.create(cpu_cores=2, ram_gb=4)
    tenant.nodes.get(node.key)
    storage = life(tenant.storage, {"tier": 1, "provisioned_gb": 10}, {"provisioned_gb": 20}, name=None)
    tenant.storage.create(1, provisioned_gb=10)
    tenant.storage.get(tier=1)
    tenant.storage.update_by_tier(1, provisioned_gb=30), tenant.storage.delete_by_tier(1)
    life(tenant.network_blocks, {"cidr": "10.9.0.0/24", "network": external.key}, name="cidr")
    tenant.network_blocks.create("10.9.1.0/24", network_name="External")
    tenant.network_blocks.delete_by_cidr("10.9.1.0/24")
    life(tenant.external_ips, {"ip": "192.0.2.77", "network": external.key}, name="ip")
    tenant.external_ips.create("192.0.2.78", network_name="External")
    tenant.external_ips.delete_by_ip("192.0.2.78")
    layer2 = tenant.l2_networks.create(network_name="External")
    look_all(tenant.l2_networks.list())
    tenant.l2_networks.get(layer2.key), tenant.l2_networks.get(network_name="External")
    tenant.l2_networks.update(layer2.key, enabled=False)
    layer2 = tenant.l2_networks.get(layer2.key)
    layer2.enable(), layer2.disable()
    tenant.l2_networks.delete(layer2.key)
    tenant.l2_networks.create(network_name="External").delete()
    tenant.l2_networks.create(network_name="External")
    tenant.l2_networks.delete_by_network("External")
    snapshot = tenant.snapshots.create("s1")
    look_all(tenant.snapshots.list())
    assert tenant.snapshots.get(name="s1").key == snapshot.key
    tenant.snapshots.restore(snapshot.key), tenant.snapshots.get(snapshot.key).restore()
    tenant.snapshots.delete(snapshot.key)
    look(tenant.stats.get())
    tenant.stats.history_short(), look_all(tenant.stats.history_long())
    for record in tenant.stats.history_short():
        record.get_tier_stats(1)
    read(tenant.logs)
    look(client.tenant_dashboard.get())
    for scoped in ("snapshots", "storage", "nodes", "network_blocks", "external_ips", "l2_networks"):
        getattr(client.tenants, scoped)(tenant.key)
    return storage


@step("tenant.sharing")
def _():
    tenant = client.tenants.get(name="acme")
    manager = client.shared_objects
    made = manager.create(tenant_key=tenant.key, vm_name="desktop", name="shared")
    look_all(manager.list()), manager.list_for_tenant(tenant)
    client.tenants.shared_objects(tenant.key)
    manager.get(made.key), manager.get(tenant_key=tenant.key, name="shared")
    manager.import_object(made.key), manager.refresh_object(made.key)
    made = manager.get(made.key)
    made.import_object(), made.refresh()
    manager.delete(made.key)
    manager.create(tenant_key=tenant.key, vm_name="desktop", name="shared again").delete()
    return len(manager.list())


@step("tenant.connect")
def _():
    tenant = client.tenants.get(name="acme")
    user, password = os.environ["VERGE_USERNAME"], os.environ["VERGE_PASSWORD"]
    tenant.set_ui_ip(os.environ["VERGE_HOST"], network_name="External")
    tenant = client.tenants.get(tenant.key)
    client.tenants.power_on(tenant.key)
    until(lambda: client.tenants.get(tenant.key).is_running, "it to run")
    tenant = client.tenants.get(tenant.key)
    inner = tenant.connect(user, password, verify_ssl=False)
    other = client.tenants.connect_context(tenant.key, username=user, password=password, verify_ssl=False)
    names = [inner.cloud_name, other.cloud_name]
    client.tenants.power_off(tenant.key)
    until(lambda: not client.tenants.get(tenant.key).is_running, "it to stop")
    client.tenants.delete(tenant.key)
    return names


@step("tenant.recipes")
def _():
    manager = client.tenant_recipes
    recipe = look(manager.list()[0])
    read(manager, name="name")
    manager.update(recipe.key, description="x"), recipe.save(description="y")
    manager.download(recipe.key), recipe.download()
    recipe.deploy("recipe tenant", answers={}), manager.deploy(recipe.key, "recipe tenant 2", answers={})
    instances = client.tenant_recipe_instances
    made = instances.create(recipe.key, "again", answers={})
    read(instances, name="name")
    read(manager.instances(recipe.key)), read(manager.logs(recipe.key)), read(client.tenant_recipe_logs)
    for row in instances.list():
        instances.delete(row.key)
    for name in ("recipe tenant", "recipe tenant 2", "again"):
        client.tenants.delete(client.tenants.get(name=name).key)
    other = manager.list()[-1]
    other.delete() if other.key != recipe.key else manager.delete(recipe.key)
    return bool(made)


# Networks


@step("networks")
def _():
    manager = client.networks
    lists(manager)
    network = look(manager.create("lab", network_address="10.20.0.0/24", ip_address="10.20.0.1"))
    assert manager.get(name="lab").key == network.key
    manager.update(network.key, description="x")
    network.power_on()
    until(lambda: manager.get(network.key).is_running, "it to run")
    said = fails(APIError, manager.delete, network.key)
    network.restart(), network.reset()
    until(lambda: manager.get(network.key).status == "running", "it to run")
    network.apply_rules(), network.apply_dns()
    network.diagnostics(), manager.diagnostics(network.key)
    network.statistics(include_history=True), manager.statistics(network.key)
    network.power_off(force=True)
    until(lambda: not manager.get(network.key).is_running, "it to stop")
    look(client.network_dashboard.get()).get_health_summary()
    return said


@step("network.parts")
def _():
    network = client.networks.get(name="lab")
    life(network.rules, {"name": "ssh", "protocol": "tcp", "destination_ports": "22"}, {"description": "x"}, objects=("disable", "enable"))
    life(network.hosts, {"hostname": "printer", "ip": "10.20.0.9"}, {"ip": "10.20.0.10"}, name=None)
    host = network.hosts.create("fax", "10.20.0.11")
    network.hosts.get(hostname="fax").delete()
    life(network.aliases, {"ip": "10.20.0.12", "name": "alias"}, name="ip")
    life(network.dns_views, {"name": "inside"}, {"recursion": True})
    view = network.dns_views.create("outside")
    zones = network.dns_views.get(view.key).zones if hasattr(type(view), "zones") else network.dns_zones
    zone = zones.create("example.com")
    lists(zones), look(zones.get(zone.key)), zones.get(domain="example.com")
    zone = network.dns_zones.get(domain="example.com")
    record = zone.records.create("A", "10.20.0.9", host="www")
    lists(zone.records), look(zone.records.get(record.key)), zone.records.get(host="www")
    zone.records.delete(record.key), zones.delete(zone.key), network.dns_views.delete(view.key)
    assert host
    proxy = network.proxy
    assert not proxy.exists()
    proxy.create()
    row = proxy.get()
    proxy.update(row.key, default_self=False)
    row.save(default_self=True)
    tenant = client.tenants.create("proxied", password="x")
    life(row.tenants, {"tenant": tenant.key, "fqdn": "a.example.com"}, {"fqdn": "b.example.com"}, name="fqdn")
    tenant.delete()
    proxy.delete(row.key)
    proxy.get_or_create().delete()
    return len(network.rules.list())


@step("network.tunnels")
def _():
    network = client.networks.get(name="lab")
    guard = life(network.wireguard, {"name": "wg", "ip_address": "10.99.0.1/24"}, {"description": "x"}, keep=True)
    peer = life(
        guard.peers,
        {"name": "peer", "peer_ip": "10.99.0.2", "public_key": "k" * 43 + "=", "allowed_ips": "10.99.0.2/32"},
        {"description": "x"},
        keep=True,
    )
    peer.get_config(), guard.peers.get_config(peer.key)
    from pyvergeos.resources.network_stats import WireGuardPeerStatusManager

    status = WireGuardPeerStatusManager(client, guard)
    look_all(status.list())
    status.get_for_peer(peer.key)
    guard.delete()
    tunnel = life(network.ipsec, {"name": "ipsec", "remote_gateway": "203.0.113.1", "pre_shared_key": "s"}, {"description": "x"}, keep=True)
    life(tunnel.policies, {"name": "policy", "local_network": "10.20.0.0/24", "remote_network": "10.30.0.0/24"}, {"description": "x"})
    lists(network.ipsec_connections)
    count = network.ipsec_connections.count()
    tunnel.delete()
    return count


@step("network.routing")
def _():
    network = client.networks.get(name="lab")
    routing = network.routing
    router = life(routing.bgp_routers, {"asn": 65001}, {"asn": 65002}, name=None, keep=True)
    routing.bgp_routers.get(asn=router["asn"])
    life(router.commands, {"command": "neighbor", "params": "10.0.0.1 remote-as 65000"}, {"params": "x"}, name=None)
    other = client.networks.get(name="External").key
    interface = life(
        routing.bgp_interfaces,
        {"name": "uplink", "ip_address": "10.0.0.2", "network": "10.0.0.0/24", "interface_network": other},
        {"description": "x"},
        keep=True,
    )
    life(interface.commands, {"command": "bfd", "params": "x"}, {"params": "y"}, name=None)
    route = life(routing.bgp_route_maps, {"tag": "map", "sequence": 10}, {"sequence": 20}, name=None, keep=True)
    routing.bgp_route_maps.get(tag="map", sequence=route["sequence"])
    life(route.commands, {"command": "match", "params": "x"}, {"params": "y"}, name=None)
    life(routing.bgp_ip_commands, {"command": "prefix-list", "params": "x"}, {"params": "y"}, name=None)
    life(routing.ospf_commands, {"command": "router-id", "params": "1.1.1.1"}, {"params": "2.2.2.2"}, name=None)
    eigrp = life(routing.eigrp_routers, {"asn": 1}, {"asn": 2}, name=None, keep=True)
    routing.eigrp_routers.get(asn=eigrp["asn"])
    life(eigrp.commands, {"command": "network", "params": "10.0.0.0/8"}, {"params": "x"}, name=None)
    routing.delete_config()
    return True


@step("network.queries")
def _():
    network = client.networks.get(name="lab")
    queries = network.queries
    made = queries.create("ping", {"host": "10.20.0.9"})
    until(lambda: queries.get(made.key).is_complete, "the answer")
    queries.wait(made.key, poll_interval=0.05), queries.get(query_id=queries.get(made.key).query_id), look_all(queries.list())
    said = [
        queries.ping("10.20.0.9").result,
        queries.dns("example.com").status,
        queries.traceroute("10.20.0.9").status,
        queries.tcpdump().status,
        queries.arp().status,
        queries.firewall().status,
        queries.trace().status,
        queries.run("arp").status,
    ]
    look(network.stats.get())
    network.stats.history_short(), network.stats.history_long()
    client.networks.delete(network.key)
    return said


# Nodes, clusters and storage


@step("nodes")
def _():
    read(client.nodes, name="name")
    node = client.nodes.get(name="node1")
    for verb in (node.enable_maintenance, node.disable_maintenance, node.restart):
        verb()
    client.nodes.enable_maintenance(node.key), client.nodes.disable_maintenance(node.key), client.nodes.restart(node.key)
    counts = {}
    for name in ("drivers", "pci_devices", "usb_devices", "sriov_nics", "gpus", "vgpu_devices", "host_gpu_devices", "nics"):
        counts[name] = read(getattr(node, name))
        scoped = getattr(client.nodes, name, None)
        if callable(scoped):
            scoped(node.key)
    for name in ("all_drivers", "all_pci_devices", "all_usb_devices", "all_sriov_nics", "all_gpus", "all_vgpu_devices", "all_host_gpu_devices"):
        lists(getattr(client.nodes, name))
    look(node.stats.get()), look(node.machine_status.get()), read(node.machine_logs)
    nic = node.nics.list()[0]
    from pyvergeos.resources import nic_stats

    for name in ("MachineNicStatsManager", "MachineNicStatusManager", "MachineNicFabricStatusManager"):
        look(getattr(nic_stats, name)(client, nic.key).get())
    lists(node.lldp_neighbors), node.lldp_neighbors.list_by_nic(nic.key), lists(client.node_lldp_neighbors)
    read(client.physical_drives), read(client.node_memory)
    gpu = node.gpus.list()[0]
    node.gpus.get(name=gpu["name"])
    node.gpus.update(gpu.key, mode="gpu"), node.gpus.get(gpu.key).save(mode="nvidia_vgpu")
    gpu = node.gpus.get(gpu.key)
    look(gpu.stats.get())
    gpu.stats.history_short(), gpu.stats.history_long(), lists(gpu.instances)
    read(client.vgpu_profiles, name="name")
    from pyvergeos.resources.gpu import NodeVgpuProfileManager

    read(NodeVgpuProfileManager(client), name="name")
    return counts


@step("node.queries")
def _():
    queries = client.nodes.get(name="node1").queries
    said = [
        queries.ping("10.0.9.2"), queries.dns("example.com"), queries.traceroute("10.0.9.2"), queries.tcpdump(),
        queries.arp(), queries.smartctl("/dev/nvme0n1"), queries.lsblk(), queries.dmidecode(),
    ]
    vsan = client.vsan_queries
    made = vsan.create("getjournalstatus")
    vsan.wait(made.key, poll_interval=0.05), vsan.get(made.key), vsan.list()
    said += [vsan.run("getjournalstatus"), vsan.journal_status(), vsan.tier_status(), vsan.repair_status(1)]
    from pyvergeos.resources.queries import ServiceContainerQueryManager, TenantNodeQueryManager

    container = ServiceContainerQueryManager(client, 1)
    tenant = client.tenants.create("queried", password="x")
    inner = TenantNodeQueryManager(client, tenant.nodes.create(cpu_cores=1, ram_gb=4).key)
    for manager in (container, inner):
        said += [manager.ping("10.0.0.1"), manager.dns("example.com"), manager.traceroute("10.0.0.1")]
    tenant.delete()
    return sorted({query.status for query in said if hasattr(query, "status")})


@step("clusters")
def _():
    life(client.clusters, {"name": "second"}, {"description": "x"})
    cluster = client.clusters.get(name="main")
    client.clusters.vsan_status()
    answer = look(cluster.cluster_status.get()).can_lose_one_node()
    read(client.cluster_status)
    tier = look(cluster.tiers.list()[0])
    cluster.tiers.get(tier.key), cluster.tiers.get(tier=1)
    for thing in (tier.get_status(), tier.get_stats(), cluster.tiers.get_tier_status(tier.key), cluster.tiers.get_tier_stats(tier.key)):
        look(thing)
    tier.stats_history_short(), tier.stats_history_long()
    look_all(cluster.tiers.get_stats_history_short(tier.key)), look_all(cluster.tiers.get_stats_history_long(tier.key))
    cluster.tiers.get_summary()
    read(client.storage_tiers, tier="tier")
    client.storage_tiers.get_summary()
    return answer


@step("resource_groups")
def _():
    manager = client.resource_groups
    made = [
        manager.create_pci("a"), manager.create_usb("b"), manager.create_sriov_nic("c"), manager.create_host_gpu("d"),
        manager.create_nvidia_vgpu("e", 1),
        manager.create("f", "node_usb_devices"),
    ]
    lists(manager)
    group = manager.get(name="a")
    look(manager.get(group.key)), manager.update(group.key, description="x"), group.save(description="y")
    life(group.rules, {"name": "rule", "filter_expression": "slot eq '1'"}, {"enabled": False})
    for thing in made:
        if thing.key != group.key:
            manager.delete(thing.key)
    group.delete()
    return len(manager.list())


# Files


@step("files")
def _():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "data.raw")
        content = bytes(range(256)) * 2400
        with open(path, "wb") as file:
            file.write(content)
        made = client.files.upload(path, name="data.raw", description="x", progress_callback=lambda done, total: None)
        lists(client.files), look(client.files.get(made.key))
        assert client.files.get(name="data.raw").key == made.key
        client.files.update(made.key, description="y")
        there = client.files.download(made.key, destination=directory, filename="back.raw")
        with open(there, "rb") as file:
            same = file.read() == content
        assert client.files.get_content(made.key, as_bytes=True) == content
        client.files.delete(made.key)
    said = fails(APIError, client.files.delete, client.files.get(name="debian-13-generic-amd64.qcow2").key)
    return {"same": same, "said": said}


# NAS


@step("nas")
def _():
    manager = client.nas_services
    service = look(manager.create("nas1", network="Internal"))
    lists(manager)
    assert manager.get(name="nas1").key == service.key
    manager.update(service.key, max_imports=5, cpu_cores=2)
    manager.restart(service.key)
    look(manager.get_cifs_settings(service.key)), look(manager.get_nfs_settings(service.key))
    manager.set_cifs_settings(service.key, workgroup="LAB"), manager.set_nfs_settings(service.key, allow_all=True)
    service = manager.get(service.key)
    volumes = client.nas_volumes
    life(volumes, {"name": "zero", "service": service.key, "size_gb": 1, "enabled": False}, {"description": "x"})
    volume = look(volumes.create("first", service.key, 1))
    lists(volumes), volumes.get(name="first"), look(volumes.get(volume.key))
    volumes.update(volume.key, description="x"), volume.save(description="y")
    volumes.disable(volume.key), volumes.enable(volume.key), volumes.reset(volume.key)
    volumes.clone(volume.key, name="second"), volume.clone("third")
    said = fails(APIError, volumes.delete, volume.key)
    snapshots = volumes.snapshots(volume.key)
    life(snapshots, {"name": "s1"})
    lists(client.nas_volume_snapshots)
    share = {"name": "share", "volume": volume.key}
    life(client.cifs_shares, share, {"comment": "x"}, verbs=("disable", "enable"))
    life(client.nfs_shares, {**share, "allow_all": True}, {"description": "x"}, verbs=("disable", "enable"))
    user = {"service": service.key, "name": "ada", "password": "secret"}
    life(client.nas_users, user, {"displayname": "Ada"}, name=None, verbs=("disable", "enable"))
    user = client.nas_users.create(**user)
    assert client.nas_users.get(name="ada", service=service.key).key == user.key
    client.nas_users.change_password(user.key, "other"), user.change_password("third"), user.delete()
    sync = {"name": "sync", "service": service.key, "source_volume": volume.key, "destination_volume": volumes.get(name="second").key}
    life(client.volume_syncs, sync, {"description": "x"}, name=None, verbs=("disable", "enable", "start", "stop"), objects=("start", "stop"))
    browser = volumes.files(volume.key)
    entries = [entry["name"] for entry in browser.list()]
    browser.get("/README.txt")
    from pyvergeos.resources import nas_antivirus

    scanners = nas_antivirus.VolumeAntivirusManager(client)
    made = life(scanners, {"volume": volume.key}, {"include": "x"}, name=None, keep=True)
    scanners.get(volume=volume.key)
    for verb in ("enable", "disable", "start_scan", "stop_scan", "get_status", "get_stats"):
        getattr(made, verb)()
    for name in ("VolumeAntivirusStatusManager", "VolumeAntivirusStatsManager", "VolumeAntivirusInfectionManager", "VolumeAntivirusLogManager"):
        part = getattr(nas_antivirus, name)(client, antivirus_key=made.key)
        lists(part)
        if hasattr(type(part), "get") and "get" in vars(type(part)):
            look(part.get())
    settings = nas_antivirus.NasServiceAntivirusManager(client, service_key=service.key)
    lists(settings), look(settings.get())
    settings.update(settings.get().key, enabled=True)
    made.delete()
    exports = client.volume_vm_exports
    # Here the SDK knows a volume by its number.
    number = volumes.get(volume.key, fields=["$key", "$row"])["$row"]
    export = exports.create(number)
    lists(exports), exports.get(export.key), exports.get(volume=number)
    exports.update(export.key, max_exports=5)
    exports.start_export(export.key, name="e1"), exports.stop_export(export.key), exports.cleanup_exports(export.key)
    export = exports.get(export.key)
    export.start(), export.stop(), export.cleanup()
    exports.start_export(export.key, name="e2")
    stats = exports.stats(export.key)
    until(stats.list, "the export")
    read(stats), read(client.volume_vm_export_stats)
    stats.delete(stats.list()[0].key)
    exports.delete(export.key)
    for name in ("first", "second", "third"):
        row = volumes.get(name=name)
        volumes.disable(row.key)
        row.delete() if name == "first" else volumes.delete(row.key)
    manager.power_off(service.key, force=True)
    manager.power_on(service.key)
    until(lambda: manager.get(service.key).get("vm_running"), "it to run")
    manager.power_off(service.key, force=True)
    manager.delete(service.key)
    return {"said": said, "entries": entries}


# Identity


@step("users")
def _():
    manager = client.users
    life(manager, {"name": "Ops", "password": "secret"}, {"displayname": "Operations"}, name=None, verbs=("disable", "enable"), objects=("disable", "enable"))
    user = manager.create("ada", "secret")
    assert manager.get(name="ada").key == user.key
    keys = client.api_keys
    made = keys.create(user.key, "ci")
    bearer = VergeClient(os.environ["VERGE_HOST"], token=made.secret, verify_ssl=False, auto_connect=False)
    said = fails(VergeError, lambda: bearer.connect() and bearer.vms.list())
    keys.create("ada", "again")
    look_all(keys.list()), look(keys.get(made.key)), keys.get(name="again", user="ada")
    keys.delete(made.key), keys.get(name="again", user="ada").delete()
    groups = client.groups
    life(groups, {"name": "team"}, {"description": "x"}, verbs=("disable", "enable"), objects=("disable", "enable"))
    group, other = groups.create("team"), groups.create("other")
    members = groups.members(group.key)
    members.add_user(user.key), members.add_group(other.key)
    look_all(members.list())
    members.remove_group(other.key), members.remove_user(user.key)
    members.add_user(user.key)
    members.remove(members.list()[0].key)
    members.add_user(user.key)
    members.list()[0].remove()
    permissions = client.permissions
    granted = permissions.grant("vms", user=user.key, can_list=True)
    permissions.grant("vnets", group=group.key, full_control=True)
    look_all(permissions.list()), look(permissions.get(granted.key))
    permissions.revoke(granted.key)
    permissions.grant("vms", user=user.key).revoke()
    permissions.revoke_for_user(user.key), permissions.revoke_for_group(group.key)
    for row in (group, other, user):
        row.delete()
    return said


@step("auth")
def _():
    life(client.auth_sources, {"name": "okta", "driver": "okta"}, {"menu": True}, objects=("enable_debug", "disable_debug"))
    source = client.auth_sources.create("okta", driver="okta")
    lists(client.auth_sources.states(source.key))
    read(client.auth_source_states)
    source.delete()
    manager = client.oidc_applications
    app = life(manager, {"name": "wiki", "redirect_uri": "https://wiki.example.com"}, {"description": "x"}, objects=("disable", "enable"), keep=True)
    manager.get(app.key, include_secret=True, include_well_known=True)
    user, group = client.users.get(name="admin"), client.groups.get(name="Administrators")
    users, groups = manager.allowed_users(app.key), manager.allowed_groups(app.key)
    for scoped, arguments in ((users, {"user_key": user.key}), (groups, {"group_key": group.key})):
        row = scoped.add(**arguments)
        lists(scoped), look(scoped.get(row.key))
        scoped.delete(row.key)
        scoped.add(**arguments).delete()
    read(manager.logs(app.key)), read(client.oidc_application_logs)
    lists(client.oidc_application_users), lists(client.oidc_application_groups)
    app.delete()
    return True


# Automation


@step("tasks")
def _():
    manager = client.tasks
    vm = client.vms.get(name="web01")
    life(manager, {"name": "nightly", "owner": vm.key, "action": "poweron", "table": "vms"}, {"description": "x"}, verbs=("disable", "enable"), objects=("disable", "enable"))
    task = manager.create("nightly", vm.key, "poweron", table="vms")
    manager.list_by_owner(vm.key), manager.execute(task.key)
    manager.wait(task.key, timeout=20), manager.cancel(task.key)
    task = manager.get(task.key)
    task.execute(), task.wait(timeout=20)
    schedules = client.task_schedules
    life(schedules, {"name": "hourly"}, {"description": "x"}, verbs=("disable", "enable"), objects=("disable", "enable", "get_schedule"))
    schedule = schedules.create("hourly")
    times = len(schedules.get_schedule(schedule.key, max_results=3))
    triggers = client.task_schedule_triggers
    made = triggers.create(task.key, schedule.key)
    lists(triggers), look(triggers.get(made.key)), manager.triggers(task.key).list(), schedules.triggers(schedule.key).list()
    triggers.trigger(made.key), triggers.get(made.key).trigger_now(), triggers.delete(made.key)
    events = client.task_events
    event = events.create(task.key, "poweron", table="vms")
    lists(events), look(events.get(event.key)), manager.events(task.key).list()
    events.update(event.key, context={"a": 1}), events.trigger(event.key), events.get(event.key).trigger_now()
    events.delete(event.key)
    scripts = client.task_scripts
    life(scripts, {"name": "script", "script": "log('x')"}, {"description": "x"}, verbs=("run",), objects=("run",))
    task.delete(), schedule.delete()
    return times


@step("webhooks")
def _():
    manager = client.webhooks
    hook = life(manager, {"name": "hook", "url": "https://example.com/hook"}, {"timeout": 10}, keep=True)
    manager.send(hook.key, message={"a": 1}), hook.send({"b": 2})
    history = look_all(manager.history(hook.key))
    hook.history(), manager.get_history(history[0].key), manager.list_pending(), manager.list_failed()
    hook.delete()
    return len(history)


@step("tags")
def _():
    category = life(
        client.tag_categories,
        {"name": "Purpose", "taggable_vms": True, "taggable_networks": True, "taggable_tenants": True, "taggable_users": True, "taggable_nodes": True, "taggable_clusters": True, "taggable_sites": True, "taggable_groups": True},
        {"description": "x"},
        keep=True,
    )
    category.get_taggable_types()
    tag = life(client.tags, {"name": "blue", "category_key": category.key}, {"description": "x"}, keep=True)
    members = client.tags.members(tag.key)
    tenant = client.tenants.create("tagged", password="x")
    site = client.sites.create("tagged", "https://site.example.com", "u", "p")
    vm, network = client.vms.get(name="web01").key, client.networks.get(name="Internal").key
    members.add_vm(vm), members.add_network(network), members.add_tenant(tenant.key), members.add_user(1), members.add_node(1)
    members.add_cluster(1), members.add_site(site.key), members.add_group(1)
    look_all(members.list()), tag.members.list()
    members.remove_vm(vm), members.remove_network(network), members.remove_tenant(tenant.key), members.remove_resource("users", 1)
    members.add("vms", vm)
    members.remove(members.list()[0].key), members.list()[0].remove()
    client.tenants.delete(tenant.key), site.delete()
    tag.delete(), client.tag_categories.delete(category.key)
    return len(client.tags.list(filter="name eq 'blue'"))


# The system


@step("system")
def _():
    system = client.system
    look(system.statistics()).to_dict()
    inventory = system.inventory()
    settings = system.settings
    lists(settings), look(settings.get("cloud_name"))
    settings.update("session_timeout", "60")
    changed = [setting["key"] for setting in settings.list_modified()]
    settings.reset("session_timeout")
    read(system.licenses, name="name")
    payload = system.licenses.generate_payload()
    system.licenses.add("license text")
    diagnostics = system.diagnostics
    made = diagnostics.build("report")
    made.wait_for_completion(timeout=20), made.send_to_support()
    lists(diagnostics), look(diagnostics.get(made.key)), diagnostics.update(made.key, description="x")
    diagnostics.send_to_support(made.key), diagnostics.get_download_url(made.key)
    diagnostics.delete(made.key), diagnostics.build("second").delete()
    other = client.system_diagnostics
    made = other.create("third")
    other.wait(made.key, timeout=20), lists(other), other.get(made.key), other.get(name="third"), other.send_to_support(made.key)
    roots = system.root_certificates
    root = roots.create("-----BEGIN CERTIFICATE-----\n")
    lists(roots), look(roots.get(root.key)), roots.get_by_subject("Playground"), roots.get_by_fingerprint(roots.get(root.key).fingerprint)
    roots.delete(root.key), roots.create("-----BEGIN CERTIFICATE-----\n").delete()
    return {"changed": changed, "payload": payload[:2].hex(), "vms": len(inventory.vms) > 4}


@step("alarms")
def _():
    manager = client.alarms
    lists(manager)
    alarm = look(manager.get(manager.list()[0].key))
    alarm.snooze(), alarm.unsnooze(), alarm.snooze_to(datetime.now(timezone.utc) + timedelta(hours=1))
    manager.snooze(alarm.key, 2), manager.snooze_to(alarm.key, datetime.now(timezone.utc) + timedelta(hours=1)), manager.unsnooze(alarm.key)
    summary = manager.get_summary()
    resolvable = [row for row in manager.list() if row.is_resolvable]
    resolvable[0].resolve(), manager.resolve(resolvable[1].key)
    history = look_all(manager.list_history())
    manager.get_history(history[0].key)
    return bool(summary)


@step("logs")
def _():
    read(client.logs)
    client.logs.search("was")
    manager = client.billing
    manager.generate()
    look_all(manager.list()), look(manager.get_latest()), look(manager.get(manager.list()[0].key)).get_tier_stats(1)
    manager.get_summary()
    return True


@step("updates")
def _():
    sources = client.update_sources
    life(sources, {"name": "Beta", "url": "https://beta.example.com"}, {"description": "x"})
    source = sources.get(name="Production")
    source.refresh(), source.get_status(), sources.action(source.key, "refresh"), sources.run_preinstall_check()
    sources.get_status(source.key), lists(sources.packages(source.key))
    read(client.update_branches, name="name"), read(client.update_packages), client.update_packages.get(name="yb-system")
    read(client.update_source_packages), client.update_source_packages.get(name="yb-system"), read(client.update_source_status)
    client.update_source_status.get_for_source(source.key)
    read(client.update_logs)
    settings = client.update_settings
    settings.update(auto_refresh=False)
    row = look(settings.get())
    for thing in (settings, row):
        thing.check(), thing.download(), thing.install(), thing.update_all()
    dashboard = look(client.update_dashboard.get())
    dashboard.get_settings(), dashboard.get_packages(), dashboard.get_branches(), dashboard.get_logs()
    return row["auto_refresh"]


@step("certificates")
def _():
    manager = client.certificates
    life(manager, {"domain": "example.com", "cert_type": "SelfSigned"}, {"description": "x"}, name=None, verbs=("renew", "refresh"), objects=("renew",))
    return bool(manager.get(domain="localhost"))


@step("catalogs")
def _():
    repositories = client.catalog_repositories
    repository = life(repositories, {"name": "extra"}, {"description": "x"}, verbs=("refresh", "get_status"), objects=("refresh_catalogs", "get_status"), keep=True)
    catalog = life(repositories.catalogs(repository.key), {"name": "mine", "repository": repository.key}, {"description": "x"}, keep=True)
    read(client.catalogs, name="name")
    read(client.catalogs.logs(catalog.key)), read(client.catalog_logs), read(repositories.logs(repository.key)), read(client.catalog_repository_logs)
    read(client.catalog_repository_status)
    client.catalog_repository_status.get_for_repository(repository.key)
    catalog.delete(), repository.delete()
    return True


@step("snapshots")
def _():
    profiles = client.snapshot_profiles
    profile = life(profiles, {"name": "weekly"}, {"description": "x"}, keep=True)
    profile.add_period("one", "weekly", 86400), profile.get_periods()
    periods = profiles.periods(profile.key)
    period = life(periods, {"name": "two", "frequency": "daily", "retention": 3600}, {"minute": 5}, keep=True)
    manager = client.cloud_snapshots
    snapshot = manager.create(name="all")
    until(lambda: manager.get(snapshot.key)["status"] == "normal", "the snapshot")
    lists(manager), manager.get(name="all")
    look_all(snapshot.get_vms()), look_all(snapshot.get_tenants())
    read(manager.vms(snapshot.key), name="name"), lists(manager.tenants(snapshot.key))
    manager.restore_vm(snapshot.key, vm_name="web01", new_name="web01 again")
    client.vms.get(name="web01 again").delete()
    tenant = client.tenants.create("kept", password="x")
    second = manager.create(name="second")
    manager.restore_tenant(second.key, tenant_name="kept", new_name="kept again")
    read(manager.tenants(second.key), name="name")
    client.tenants.get(name="kept again").delete(), tenant.delete()
    second.delete(), manager.delete(snapshot.key)
    periods.delete(period.key), profiles.delete(profile.key)
    return len(profiles.list(filter="name eq 'weekly'"))


@step("sites")
def _():
    manager = client.sites
    life(manager, {"name": "remote", "url": "https://remote.example.com", "username": "u", "password": "p"}, {"description": "x"}, verbs=("disable", "enable", "refresh_site", "refresh_settings"), objects=("disable", "enable"))
    site = manager.create("remote", "https://remote.example.com", "u", "p")
    site.reauthenticate("u", "p"), manager.reauthenticate(site.key, "u", "p")
    outgoing, incoming = client.site_syncs, client.site_syncs_incoming
    arguments = {"site": site.key, "name": "out", "registration_code": "code"}
    sync = life(outgoing, arguments, {"description": "x"}, verbs=("disable", "enable", "start", "stop", "disable_throttle", "refresh_remote_snapshots"), objects=("disable", "enable", "start", "stop"), keep=True)
    outgoing.list_for_site(site_key=site.key), outgoing.set_throttle(sync.key, 1000)
    snapshot = client.cloud_snapshots.create(name="sent")
    outgoing.add_to_queue(sync.key, snapshot.key), sync.add_to_queue(snapshot.key), outgoing.invoke(sync.key, snapshot.key)
    queue = sync.queue
    lists(queue)
    item = look(queue.get(queue.list()[0].key))
    item.get_stats(), queue.count(), queue.count_pending(), queue.delete(item.key), queue.list()[0].delete()
    remote = sync.remote_snapshots
    row = look(remote.list()[0])
    remote.get(row.key), remote.get(name=row["name"]), remote.count()
    row.request_sync_back(), remote.request_sync_back(row.key)
    row.set_retention(datetime.now(timezone.utc) + timedelta(days=1)), remote.set_retention(row.key, datetime.now(timezone.utc) + timedelta(days=1))
    look(sync.stats.get()), lists(sync.stats), look_all(sync.stats.history()), lists(sync.logs)
    back = life(incoming, {"site": site.key, "name": "in"}, {"description": "x"}, verbs=("disable", "enable"), objects=("disable", "enable"), keep=True)
    incoming.list_for_site(site_key=site.key), lists(back.logs)
    verified = back.verified.get()
    scoped = back.verified
    scoped.list_remote_snapshots(verified.key), scoped.request_snapshot(verified.key, "s"), scoped.set_retention(verified.key, "s", 86400)
    verified.list_remote_snapshots(), verified.request_snapshot("s", 86400), verified.set_retention("s", 86400)
    profile = client.snapshot_profiles.create("for sync")
    period = profile.add_period("p", "daily", 3600)
    schedules = client.site_sync_schedules
    made = schedules.create(sync.key, period.key, 3600)
    lists(schedules), look(schedules.get(made.key)), schedules.list_for_sync(sync.key)
    schedules.delete(made.key), schedules.create(sync.key, period.key, 3600).delete()
    period.delete()
    snapshot.delete(), profile.delete(), sync.delete(), back.delete(), site.delete()
    return True


def run(verbose):
    for name, function in steps:
        try:
            line = {"step": name, "ok": True, "value": function()}
        except Exception as error:
            line = {"step": name, "ok": False, "error": {"class": type(error).__name__, "text": str(error)}}
            if verbose:
                traceback.print_exc()
        print(json.dumps(line), flush=True)


def main():
    mode = sys.argv[1]
    run(verbose=True)
    if mode == "coverage":
        print(json.dumps({"methods": len(methods), "never": sorted(methods - called)}), flush=True)
    client.disconnect()


if __name__ == "__main__":
    main()
