//! Clusters, nodes and their hardware.

use super::Route::{Own, Verb};
use super::{Acts, DISABLE, Def, ENABLE, Holder, NOW, NUMBER, Settle, UUID, acts};
use crate::provider::resources::Weight::{Mild, Moderate, Severe};

const CLUSTERS: Acts = acts! {
    "shutdown" = "shutdown", Own("cluster"), NOW, "", Severe, "Shut all of its nodes down";
    "cancel-shutdown" = "cancel_shutdown", Own("cluster"), NOW, "", Mild, "Do not shut down after all";
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Moderate, "Disable it";
};

const NODES: Acts = acts! {
    "maintenance" = "enable_maintenance", Verb("enable_maintenance"), NOW, "", Moderate, "Move everything away from it";
    "leave-maintenance" = "disable_maintenance", Verb("disable_maintenance"), NOW, "", Mild, "Let it work again";
    "restart" = "maintenance_reboot", Verb("maintenance_reboot"), NOW, "", Moderate, "Move everything away from it and restart it";
    "start" = "poweron", Own("node"), NOW, "", Mild, "Power it on";
    "stop" = "poweroff", Own("node"), NOW, "", Severe, "Power it off";
    "refresh" = "refresh_status", Own("node"), NOW, "", Mild, "Read its state anew";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("cluster_status", "cluster status", NUMBER)
        .within("clusters", "cluster", Holder::Key)
        .nameless()
        .shown("cluster status status_info state total_nodes online_nodes")
        .fields(
            "$key,cluster,status,status_info,state,total_nodes,online_nodes,total_ram,online_ram,\
            used_ram,phys_ram_used,phys_vram_used,total_cores,online_cores,used_cores,\
            phys_total_cpu,running_machines,last_update",
        )
        .read_only(),
    Def::new("cluster_tiers", "cluster tier", NUMBER)
        .within("clusters", "cluster", Holder::Key)
        .label("tier")
        .shown("tier cluster cost_per_gb price_per_gb display_state used_pct")
        .fields(
            "$key,tier,cluster,description,cost_per_gb,price_per_gb,status#state as display_state,\
            status#used_pct as used_pct,status#status as display_status,status#capacity as capacity,\
            status#used as used,status#redundant as redundant,status#working as working,\
            status#encrypted as encrypted,stats#rops as rops,stats#wops as wops,stats#rbps as rbps,\
            stats#wbps as wbps",
        )
        .set("cluster:clusters"),
    Def::new("clusters", "cluster", NUMBER)
        .noun("cluster")
        .shown(
            "name status_state:STATUS total_nodes:NODES online_nodes:ONLINE online_ram:RAM used_ram \
            total_cores:CORES | running_machines compute storage",
        )
        .fields(
            "$key,name,description,enabled,storage,compute,default_cpu,recommended_cpu_type,\
            kvm_nested,ram_per_unit,cores_per_unit,max_ram_per_vm,max_cores_per_vm,target_ram_pct,\
            ram_overcommit_pct,created,status#status as status_state,\
            status#total_nodes as total_nodes,status#online_nodes as online_nodes,\
            status#total_ram as total_ram,status#online_ram as online_ram,\
            status#used_ram as used_ram,status#total_cores as total_cores,\
            status#online_cores as online_cores,status#used_cores as used_cores,\
            status#running_machines as running_machines",
        )
        .set(
            "allow_nested_virt_migration:bool allow_vgpu_migration:bool compute:bool \
            cores_per_unit:number cost_per_unit critical_core_temp default_cpu description \
            disable_cpu_security_mitigations:bool disable_sleep:bool disable_smt:bool \
            enable_nvme_power_management:bool enable_split_lock_detection:bool enabled:bool \
            kvm_nested:bool log_filter max_core_temp max_core_temp_warn_perc \
            max_cores_per_vm:number max_ram_per_vm:number name price_per_unit \
            ram_overcommit_pct:number ram_per_unit:number scaling_governor storage_buffersize \
            storage_cachesize storage_hugepages swap_per_drive swap_tier target_ram_pct:number \
            x86_energy_perf_policy",
        )
        .severe()
        .acts(CLUSTERS),
    Def::new("machine_drive_phys", "physical drive", NUMBER)
        .within("machine_drives", "parent_drive", Holder::Key)
        .label("serial")
        .shown("model serial size temp wear_level smart node_name:NODE | hours realloc_sectors vsan_tier")
        .fields(
            "$key,model,serial,fw,path,location,size,temp,temp_warn,realloc_sectors,\
            realloc_sectors_warn,wear_level,wear_level_warn,current_pending_sector,\
            current_pending_sector_warn,offline_uncorrectable,offline_uncorrectable_warn,hours,\
            hours_warn,smart,vsan_read_errors,vsan_write_errors,vsan_last_error,vsan_throttle,\
            vsan_tier,vsan_repairing,vsan_repair_estimate,vsan_online_since,boot,swap,spare,\
            encrypted,parent_drive,parent_drive#machine#name as node_name,modified",
        )
        .read_only(),
    Def::new("node_drivers", "node driver", NUMBER)
        .within("nodes", "node", Holder::Key)
        .label("driver_name")
        .shown("driver_name node driver_file driver_key status_info class_filter")
        .fields(
            "$key,node,driver_file,driver_key,driver_name,description,status_info,class_filter,\
            vendor_filter,modified,node#name as node_name,driver_file#name as driver_file_name,\
            status",
        )
        .read_only(),
    Def::new("node_gpu_instances", "GPU instance", NUMBER)
        .within("node_gpus", "gpu", Holder::Key)
        .nameless()
        .shown("modified gpu_key gpu_name node_key node_display machine_key")
        .fields(
            "$key,description,modified,gpu#$key as gpu_key,gpu#name as gpu_name,\
            gpu#node#$key as node_key,gpu#node#$display as node_display,\
            machine_device#machine#$key as machine_key,machine_device#machine#name as machine_name,\
            machine_device#machine#type as machine_type,\
            machine_device#machine#display(type) as machine_type_display,\
            machine_device#$key as machine_device_key,machine_device#name as machine_device_name,\
            machine_device#status#status as machine_device_status,\
            gpu#pci_device#$key as pci_device_key,gpu#pci_device#name as pci_device_name,\
            gpu#mode as mode,gpu#display(mode) as mode_display",
        )
        .read_only(),
    Def::new("node_gpu_stats", "node gpu stat", NUMBER)
        .within("node_gpus", "node_gpu", Holder::Key)
        .nameless()
        .shown("node_gpu gpus_total gpus gpus_idle vgpus_total vgpus")
        .fields("$key,node_gpu,gpus_total,gpus,gpus_idle,vgpus_total,vgpus,vgpus_idle,timestamp")
        .set("node_gpu"),
    Def::new("node_gpus", "GPU", NUMBER)
        .within("nodes", "node", Holder::Key)
        .shown("name pci_device node nvidia_vgpu_profile max_instances modified")
        .fields(
            "$key,name,description,pci_device,node,nvidia_vgpu_profile,max_instances,modified,\
            pci_device#name as pci_device_name,node#name as node_name,mode,\
            display(nvidia_vgpu_profile) as nvidia_vgpu_profile_disp,\
            count(instances) as instances_count",
        )
        .set("mode nvidia_vgpu_profile max_instances description node:nodes"),
    Def::new("node_host_gpu_devices", "node host gpu device", NUMBER)
        .within("nodes", "node", Holder::Key)
        .shown("name node pci_device slot vendor device")
        .fields(
            "$key,node,pci_device,name,slot,vendor,device,vendor_device_hex,driver,module,numa,\
            iommu_group,type_id,device_index,max_instances,fingerprint,created,modified,\
            node#name as node_name",
        )
        .read_only(),
    Def::new("node_lldp_neighbors", "node lldp neighbor", NUMBER)
        .within("nodes", "node", Holder::Key)
        .nameless()
        .shown("nic chassis port via age")
        .fields("$key,node,nic,rid,via,age,chassis,port,vlan,other")
        .read_only(),
    Def::new("node_memory", "memory module", NUMBER)
        .within("nodes", "node", Holder::Key)
        .label("label")
        .shown("label node status status_info locator bank_locator")
        .fields(
            "$key,node,status,status_info,label,locator,bank_locator,type,type_detail,size,speed,\
            configured_memory_speed,form_factor,manufacturer,serial_number,part_number,asset_tag,\
            rank,data_width,total_width,memory_technology,modified",
        )
        .read_only(),
    Def::new("node_nvidia_vgpu_devices", "node nvidia vgpu device", NUMBER)
        .within("nodes", "node", Holder::Key)
        .shown("name node pci_device slot vendor device")
        .fields(
            "$key,node,pci_device,name,slot,vendor,device,vendor_device_hex,driver,module,numa,\
            iommu_group,type_id,max_instances,physical_function,virtfn,fingerprint,created,modified,\
            node#name as node_name",
        )
        .read_only(),
    Def::new("node_nvidia_vgpu_profiles", "node nvidia vgpu profile", NUMBER)
        .within("node_gpus", "physical_gpu", Holder::Key)
        .shown("name physical_gpu num_heads frl_config framebuffer max_resolution")
        .fields(
            "$key,physical_gpu,name,num_heads,frl_config,framebuffer,max_resolution,max_instance,\
            available_instances,device_api,profile_type,virtual_function,profile_folder",
        )
        .read_only(),
    Def::new("node_pci_devices", "node pci device", NUMBER)
        .within("nodes", "node", Holder::Key)
        .shown("name node slot class class_hex device_type")
        .fields(
            "$key,node,name,slot,class,class_hex,device_type,vendor,device,vendor_device_hex,svendor,\
            subsystem_device,physical_slot,driver,module,numa,iommu_group,sriov_totalvfs,\
            sriov_numvfs,node#name as node_name",
        )
        .read_only(),
    Def::new("node_queries", "node query", NUMBER)
        .within("nodes", "node", Holder::Key)
        .nameless()
        .shown("id query status result")
        .fields("$key,id,query,params,status,result,command,created,modified,expires")
        .set("node:nodes query params:json")
        .made(Settle::new("status", "complete", "error")),
    Def::new("node_sriov_nic_devices", "node sriov nic device", NUMBER)
        .within("nodes", "node", Holder::Key)
        .shown("name node pci_device slot vendor device")
        .fields(
            "$key,node,pci_device,name,slot,vendor,device,vendor_device_hex,svendor,subsystem_device,\
            physical_slot,physical_function,revision_number,driver,module,numa,iommu_group,\
            node#name as node_name",
        )
        .read_only(),
    Def::new("node_usb_devices", "node usb device", NUMBER)
        .within("nodes", "node", Holder::Key)
        .label("model")
        .shown("model node bus device path devpath")
        .fields(
            "$key,node,bus,device,path,devpath,vendor,vendor_id,model,model_id,serial,usb_version,\
            speed,interface_drivers,node#name as node_name",
        )
        .read_only(),
    Def::new("nodes", "node", NUMBER)
        .noun("node")
        .shown(
            "name status cluster_name:CLUSTER ram cores cpu_usage:CPU% maintenance | physical model \
            cpu core_temp yb_version:VERSION",
        )
        .fields(
            "$key,name,description,model,cpu,cpu_speed,ram,vm_ram,overcommit,failover_ram,cores,\
            physical,maintenance,iommu,need_restart,restart_reason,asset_tag,ipmi_address,\
            ipmi_status,vsan_nodeid,vsan_connected,yb_version,os_version,kernel_version,\
            appserver_version,vsan_version,qemu_version,cluster,machine,\
            machine#status#running as running,machine#status#status as status,\
            machine#stats#ram_used as ram_used,machine#stats#vram_used as vram_used,\
            machine#stats#total_cpu as cpu_usage,machine#stats#core_temp as core_temp,\
            cluster#name as cluster_name,machine#status#started as started",
        )
        .set("name description asset_tag")
        .severe()
        .acts(NODES),
    Def::new("nvidia_vgpu_profiles", "vGPU profile", NUMBER)
        .shown("name type_id device_hex num_heads frl_config framebuffer")
        .fields(
            "$key,name,type_id,device_hex,num_heads,frl_config,framebuffer,max_resolution,\
            max_instance,max_instances_per_vm,placement_ids,location,profile_type,grid_license,\
            virtual_function,profile_folder",
        )
        .read_only(),
    Def::new("resource_groups", "resource group", UUID)
        .shown("name uuid type type_display class class_display")
        .fields(
            "$key,uuid,name,description,type,display(type) as type_display,class,\
            display(class) as class_display,enabled,created,modified,\
            count(resources) as resource_count",
        )
        .set("class description enabled:bool key_args:json name settings_args:json type"),
    Def::new("resource_rules", "resource rule", NUMBER)
        .within("resource_groups", "resource_group", Holder::Key)
        .shown("name resource_group enabled type type_display node")
        .fields(
            "$key,resource_group,name,enabled,type,display(type) as type_display,node,filter,\
            filter_configuration,system_created,modified,\
            display(resource_group) as resource_group_display,display(node) as node_display,\
            count(resources) as resource_count",
        )
        .set("auto_create_based_on enabled:bool filter name node:nodes resource_group:resource_groups"),
    Def::new("storage_tiers", "storage tier", NUMBER)
        .label("tier")
        .shown("tier description capacity used allocated | dedupe_ratio")
        .fields(
            "$key,tier,description,capacity,used,allocated,used_inflated,dedupe_ratio,modified,\
            stats[reads,writes,read_bytes,write_bytes,rops,wops,rbps,wbps]",
        )
        .severe(),
    Def::new("vsan_queries", "vsan query", NUMBER)
        .nameless()
        .shown("id query status result")
        .fields("$key,id,query,params,status,result,command,created,modified,expires")
        .set("query params:json")
        .made(Settle::new("status", "complete", "error")),
];
