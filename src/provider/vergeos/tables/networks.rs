//! Networks and what belongs to them.

use super::Route::{Own, Put};
use super::{Acts, DISABLE, Def, ENABLE, Holder, NOW, NUMBER, RUNS, RUNS_AGAIN, SINGLE, STOPS, SWITCHES, Settle, acts};
use crate::provider::resources::Weight::Mild;

const VNETS: Acts = acts! {
    "start" = "poweron", Own("vnet"), RUNS, "apply", Mild, "Start it";
    "stop" = "poweroff", Own("vnet"), STOPS, "", Mild, "Stop it";
    "kill" = "kill", Own("vnet"), STOPS, "", Mild, "Stop it at once";
    "restart" = "reset", Own("vnet"), RUNS_AGAIN, "apply", Mild, "Restart it";
    "apply-rules" = "refresh", Own("vnet"), NOW, "", Mild, "Put changed firewall rules into force";
    "apply-dns" = "applydns", Put("applydns"), NOW, "", Mild, "Put changed DNS records into force";
    "migrate" = "migrate", Own("vnet"), NOW, "preferred_node", Mild, "Move it to another node";
    "clear-statistics" = "clear_statistics", Own("vnet"), NOW, "", Mild, "Set its counters to zero";
    "enable" = "enable", ENABLE, NOW, "", Mild, "Enable it";
    "disable" = "disable", DISABLE, NOW, "", Mild, "Disable it";
};

/// The tables.
pub(super) static TABLES: &[Def] = &[
    Def::new("vnets", "network", NUMBER)
        .noun("network")
        .shown(
            "name type network:CIDR ipaddress:IP status need_restart:RESTART need_fw_apply:RULES \
            need_dns_apply:DNS | description gateway mtu",
        )
        .fields(
            "$key,name,description,enabled,type,layer2_type,layer2_id,network,ipaddress,gateway,mtu,\
            dhcp_enabled,dhcp_start,dhcp_stop,dns,domain,need_fw_apply,need_dns_apply,\
            need_proxy_apply,need_restart,on_power_loss,interface_vnet,proxy_enabled,\
            machine#status#running as running,machine#status#status as status",
        )
        .set(
            "name description enabled:bool note autostart:bool on_power_loss type layer2_type \
            layer2_id:number interface_vnet:vnets ipaddress_type ipaddress network gateway \
            vnet_default_gateway:vnets dmz_ipaddress hostname dns dnslist domain override_dhcp_dns \
            network_dns network_dns_zone dhcp_enabled:bool dhcp_dynamic:bool dhcp_sequential:bool \
            dhcp_start dhcp_stop mtu:number cluster:clusters cluster_failover:clusters \
            preferred_node:nodes ha_group rate_limit:number rate_limit_type rate_limit_burst:number \
            statistics:bool dmz_statistics:bool trace:bool mirror_logs:bool apply_fw_on_start:bool \
            proxy_enabled:bool proxy_listen_address pxe tftp_server monitor_gateway:bool monitor_ip \
            monitor_interval_ms:number bgp_asn:number advanced_options:json port_mirroring \
            enable_bonding:bool bond_interfaces_args:json",
        )
        .acts(VNETS),
    Def::new("vnet_bgp", "bgp", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .nameless()
        .fields("$key,vnet")
        .set("vnet:vnets"),
    Def::new("vnet_addresses", "address", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .label("ip")
        .shown("ip hostname mac type network_name:NETWORK | description")
        .fields("$key,vnet,ip,type,hostname,description,owner,mac,vendor,expiration,vnet#name as network_name")
        .set("description hostname ip owner type vnet:vnets")
        .sort("+ip"),
    Def::new("vnet_bgp_interface_commands", "bgp interface command", NUMBER)
        .within("vnet_bgp_interfaces", "bgp_interface", Holder::Key)
        .nameless()
        .shown("bgp_interface orderid command params")
        .fields("$key,bgp_interface,orderid,command,params")
        .set("bgp_interface command params:json"),
    Def::new("vnet_bgp_interfaces", "bgp interface", NUMBER)
        .within("vnet_bgp", "bgp", Holder::Key)
        .shown("name bgp ipaddress network mtu layer2_type")
        .fields(
            "$key,bgp,name,description,ipaddress,network,mtu,layer2_type,layer2_id,interface_vnet,\
            bgp_vnet,nic",
        )
        .set(
            "bgp description interface_vnet:vnets ipaddress layer2_id:number layer2_type mtu:number \
            name network",
        ),
    Def::new("vnet_bgp_ip", "bgp ip", NUMBER)
        .within("vnet_bgp", "bgp", Holder::Key)
        .nameless()
        .shown("bgp orderid command params")
        .fields("$key,bgp,orderid,command,params")
        .set("bgp command params:json"),
    Def::new("vnet_bgp_routemap_commands", "bgp routemap command", NUMBER)
        .within("vnet_bgp_routemaps", "bgp_routemap", Holder::Key)
        .nameless()
        .shown("bgp_routemap orderid command params")
        .fields("$key,bgp_routemap,orderid,command,params")
        .set("bgp_routemap command params:json"),
    Def::new("vnet_bgp_routemaps", "bgp routemap", NUMBER)
        .within("vnet_bgp", "bgp", Holder::Key)
        .label("tag")
        .shown("tag bgp permit sequence")
        .fields("$key,bgp,tag,permit,sequence")
        .set("bgp permit:bool sequence:number tag"),
    Def::new("vnet_bgp_router_commands", "bgp router command", NUMBER)
        .within("vnet_bgp_routers", "bgp_router", Holder::Key)
        .nameless()
        .shown("bgp_router orderid enabled no command params")
        .fields("$key,bgp_router,orderid,enabled,no,command,params")
        .set("bgp_router command enabled:bool no:bool params:json"),
    Def::new("vnet_bgp_routers", "bgp router", NUMBER)
        .within("vnet_bgp", "bgp", Holder::Key)
        .label("asn")
        .shown("asn bgp")
        .fields("$key,bgp,asn")
        .set("asn:number bgp"),
    Def::new("vnet_cidrs", "network block", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .label("cidr")
        .shown("cidr network_name:NETWORK owner | description")
        .fields("$key,vnet,cidr,description,owner,vnet#name as network_name")
        .set("cidr description owner vnet:vnets"),
    Def::new("vnet_dashboard", "dashboard", SINGLE).nameless().read_only(),
    Def::new("vnet_dns_views", "DNS view", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .shown("name recursion match_clients")
        .fields("$key,name,recursion,match_clients,match_destinations,max_cache_size,query_source,vnet")
        .set(
            "match_clients match_destinations max_cache_size:number name query_source recursion:bool \
            vnet:vnets",
        ),
    Def::new("vnet_dns_zone_records", "DNS record", NUMBER)
        .within("vnet_dns_zones", "zone", Holder::Key)
        .label("host")
        .shown("host type value ttl mx_preference:PRIORITY")
        .fields("$key,zone,host,type,value,ttl,mx_preference,weight,port,description")
        .set(
            "description host mx_preference:number port:number ttl:number type value weight:number \
            zone:vnet_dns_zones",
        ),
    Def::new("vnet_dns_zones", "DNS zone", NUMBER)
        .within("vnet_dns_views", "view", Holder::Key)
        .label("domain")
        .shown("domain type serial_number")
        .fields("$key,view,domain,type,nameserver,email,default_ttl,serial_number")
        .set(
            "allow_notify:bool allow_transfer default_ttl domain email expiry_period forwarders \
            masters nameserver negative_ttl notify:bool refresh_interval retry_interval type \
            view:vnet_dns_views",
        )
        .sort("+domain"),
    Def::new("vnet_eigrp_router_commands", "eigrp router command", NUMBER)
        .within("vnet_eigrp_routers", "eigrp_router", Holder::Key)
        .nameless()
        .shown("eigrp_router orderid enabled no command params")
        .fields("$key,eigrp_router,orderid,enabled,no,command,params")
        .set("command eigrp_router enabled:bool no:bool params:json"),
    Def::new("vnet_eigrp_routers", "eigrp router", NUMBER)
        .within("vnet_bgp", "bgp", Holder::Key)
        .label("asn")
        .shown("asn bgp")
        .fields("$key,bgp,asn")
        .set("asn:number bgp"),
    Def::new("vnet_hosts", "host", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .label("host")
        .shown("host ip type")
        .fields("$key,vnet,type,host,ip,vnet#name as vnet_name")
        .set("host ip type vnet:vnets"),
    Def::new("vnet_ipsec_connections", "ipsec connection", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .nameless()
        .shown("phase1 phase2 uniqueid local remote local_network")
        .fields(
            "$key,vnet,phase1,phase2,uniqueid,local,remote,local_network,remote_network,connection,\
            reqid,interface,protocol,created",
        )
        .set("vnet:vnets"),
    Def::new("vnet_ipsec_phase1s", "ipsec phase1", NUMBER)
        .within("vnet_ipsecs", "ipsec", Holder::Key)
        .shown("name ipsec enabled keyexchange remote_gateway auth")
        .fields(
            "$key,ipsec,enabled,name,description,keyexchange,remote_gateway,auth,negotiation,\
            identifier,peer_identifier,ike,ikelifetime,auto,mobike,split_connections,forceencaps,\
            keyingtries,rekey,reauth,margintime,dpdaction,dpddelay,dpdfailures,modified",
        )
        .set(
            "auth auto description dpdaction dpddelay:number dpdfailures:number enabled:bool \
            forceencaps:bool identifier ike ikelifetime:number ipsec keyexchange keyingtries:number \
            margintime:number mobike:bool name negotiation peer_identifier psk reauth:bool \
            rekey:bool remote_gateway split_connections:bool",
        ),
    Def::new("vnet_ipsec_phase2s", "ipsec phase2", NUMBER)
        .within("vnet_ipsec_phase1s", "phase1", Holder::Key)
        .shown("name phase1 enabled mode local remote")
        .fields("$key,phase1,enabled,name,description,mode,local,remote,lifetime,protocol,ciphers,modified")
        .set("ciphers description enabled:bool lifetime:number local mode name phase1 protocol remote"),
    Def::new("vnet_monitor_stats_history_short", "monitor stats history short", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .nameless()
        .shown("timestamp sent dropped quality dropped_pct latency_usec_avg")
        .fields(
            "$key,vnet,timestamp,sent,dropped,quality,dropped_pct,latency_usec_avg,latency_usec_peak,\
            duplicates,truncated,bad_checksums,bad_data",
        )
        .set("vnet:vnets"),
    Def::new("vnet_ospf_commands", "ospf command", NUMBER)
        .within("vnet_bgp", "bgp", Holder::Key)
        .nameless()
        .shown("bgp orderid command params")
        .fields("$key,bgp,orderid,command,params")
        .set("bgp command params:json"),
    Def::new("vnet_proxy", "proxy", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .shown("name vnet_display listen_address default_self modified")
        .fields("$key,vnet,vnet#$display as vnet_display,name,listen_address,default_self,modified")
        .set("default_self:bool listen_address vnet:vnets"),
    Def::new("vnet_proxy_tenants", "proxy tenant", NUMBER)
        .within("vnet_proxy", "proxy", Holder::Key)
        .nameless()
        .shown("proxy tenant fqdn")
        .fields("$key,proxy,tenant,fqdn")
        .set("fqdn proxy tenant:tenants"),
    Def::new("vnet_queries", "query", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .nameless()
        .shown("id query status result")
        .fields("$key,id,query,params,status,result,command,created,modified,expires")
        .set("vnet:vnets query params:json")
        .made(Settle::new("status", "complete", "error")),
    Def::new("vnet_rules", "rule", NUMBER)
        .noun("rule")
        .within("vnets", "vnet", Holder::Key)
        .shown(
            "name vnet_name:NETWORK direction action protocol source_ip:SOURCE \
            destination_ports:PORTS enabled orderid:ORDER | description destination_ip target_ip \
            target_ports packets bytes",
        )
        .fields(
            "$key,vnet,name,description,enabled,orderid,pin,direction,action,protocol,interface,\
            source_ip,source_ports,destination_ip,destination_ports,target_ip,target_ports,ct_state,\
            statistics,log,trace,throttle,drop_throttle,packets,bytes,system_rule,modified,\
            vnet#name as vnet_name",
        )
        .set(
            "vnet:vnets name description enabled:bool orderid:number pin direction action protocol \
            interface source_ip source_ports destination_ip destination_ports target_ip \
            target_ports ct_state statistics:bool log:bool trace:bool throttle drop_throttle",
        )
        .sort("+orderid")
        .acts(SWITCHES),
    Def::new("vnet_wireguard_peer_status", "wireguard peer status", NUMBER)
        .within("vnet_wireguard_peers", "peer", Holder::Key)
        .nameless()
        .shown("peer last_handshake tx_bytes rx_bytes last_update")
        .fields("$key,peer,last_handshake,tx_bytes,rx_bytes,last_update")
        .set("peer"),
    Def::new("vnet_wireguard_peers", "wireguard peer", NUMBER)
        .within("vnet_wireguards", "wireguard", Holder::Key)
        .shown("name wireguard enabled endpoint port peer_ip")
        .fields(
            "$key,wireguard,name,description,enabled,endpoint,port,peer_ip,public_key,preshared_key,\
            allowed_ips,keepalive,configure_firewall,modified",
        )
        .set(
            "allowed_ips configure_firewall description enabled:bool endpoint keepalive:number name \
            peer_ip port:number preshared_key public_key wireguard",
        ),
    Def::new("vnet_wireguards", "wireguard", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .shown("name enabled ip listenport mtu public_key")
        .fields("$key,vnet,name,description,enabled,ip,listenport,mtu,public_key,endpoint_ip,modified")
        .set("description enabled:bool endpoint_ip ip listenport:number mtu:number name vnet:vnets"),
    Def::new("vnet_ipsecs", "ipsec", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .nameless()
        .shown("enabled")
        .fields("$key,vnet,enabled")
        .set("vnet:vnets"),
    Def::new("vnet_rule_aliases", "rule aliase", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .shown("name value")
        .fields("$key,vnet,name,description,value")
        .set("vnet:vnets"),
    Def::new("vnet_monitor_stats_history_long", "monitor stats history long", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .nameless()
        .shown("timestamp sent dropped quality dropped_pct latency_usec_avg")
        .fields(
            "$key,vnet,timestamp,sent,dropped,quality,dropped_pct,latency_usec_avg,latency_usec_peak,\
            duplicates,truncated,bad_checksums,bad_data",
        )
        .read_only(),
    Def::new("vnet_bonds", "bond", NUMBER)
        .within("vnets", "vnet", Holder::Key)
        .shown("name")
        .fields("$key,vnet,name")
        .set("vnet:vnets"),
];
