from xapi_shim.database.replication import Create, Destroy
SKIP={"pool","session","task","role","message","SM","subject","user","Caller"}
def join_operations(joiner, host, master):
    by={master.text("network",n,"bridge"): n for n in master.refs("network")}
    m={n: by[joiner.text("network",n,"bridge")] for n in joiner.refs("network") if joiner.text("network",n,"bridge") in by}
    ops=[]
    def sub(v):
        if isinstance(v,str): return m.get(v,v)
        if isinstance(v,list): return [sub(x) for x in v]
        return v
    for cls,t in joiner.tables.items():
        if cls in SKIP: continue
        for ref,row in t.rows.items():
            if row.created==-1 or ref in m: continue
            if cls=="VM" and row.values["is_default_template"]: continue
            if "uuid" in row.values and master.find_uuid(cls,row.values["uuid"]): continue
            ops.append(Create(cls,ref,{k:sub(v) for k,v in row.values.items() if (cls,k) not in joiner._derived}))
    return ops
def leave_operations(db, host):
    ops=[Destroy("host_metrics",db.text("host",host,"metrics")),Destroy("VM",db.text("host",host,"control_domain"))]
    ops+=[Destroy("PIF",r) for r in db.items("host",host,"PIFs")]
    for p in db.items("host",host,"PBDs"):
        ops+=[Destroy("VDI",v) for v in db.items("SR",db.text("PBD",p,"SR"),"VDIs")]
        ops+=[Destroy("SR",db.text("PBD",p,"SR")),Destroy("PBD",p)]
    ops+=[Destroy("host_cpu",r) for r in db.items("host",host,"host_CPUs")]
    ops+=[Destroy("Certificate",r) for r in db.items("host",host,"certificates")]
    return [*ops,Destroy("host",host)]
