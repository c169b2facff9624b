//! The canonical bytes of a table.

use crate::random::{self, Chance};
use pos_kernel_core::Code;
use pos_kernel_core::rules::{Rules, Table};

#[test]
fn every_table_is_bytes_and_back() {
    for (index, hit) in ["first", "unique", "any", "priority", "collect"].iter().enumerate() {
        for seed in 0..40 {
            let table = random::table(&mut Chance(seed * 5 + index as u64), hit, 9, false);
            let bytes = table.encode();
            assert_eq!(Table::decode(&bytes).unwrap(), table);
            assert_eq!(table.hash(), *blake3::hash(&bytes).as_bytes());
        }
    }
}

#[test]
fn the_spelling_of_the_source_does_not_matter() {
    let csv = "table,t,hit,first,at,line\n\
               rule,class,age,tags,r\n\
               ,when text wine|beer|food,when integer 0..150 = 18,when set a|b,then text yes|no\n\
               one,wine|beer,..17,a & !b,no\n\
               two,!food,\">=10|..3\",,no\n\
               three,,,-,yes\n";
    let json = r#"{"table":"t","at":"line","hit":"first",
        "results":[{"type":"text","name":"r","values":["yes","no"]}],
        "columns":[
            {"name":"class","type":"text","values":["wine","beer","food"]},
            {"name":"age","type":"integer","min":0,"max":"150","default":18},
            {"name":"tags","type":"set","values":["a","b"]}],
        "rows":[
            {"id":"one","when":{"tags":["!b","a"],"class":["beer","wine"],"age":"<18"},"then":{"r":"no"}},
            {"id":"two","when":{"class":"beer|wine","age":"!4..9"},"then":{"r":"no"}},
            {"id":"three","when":{"class":"wine|beer|food","age":"0..150","tags":null},"then":{"r":"yes"}}]}"#;
    let (csv, json) = (Table::read(csv).unwrap(), Table::read(json).unwrap());
    assert_eq!(csv, json);
    assert_eq!(csv.hash(), json.hash());
}

#[test]
fn the_bytes_are_these() {
    let table = Table::read(
        "table,t,hit,first\nrule,b,n,r\n,when bool,when integer 0..9,then text\n1,true,..4,x\n2,,,y\n",
    )
    .unwrap();
    let bytes = [
        0x88, 1, 0x61, b't', 1, 0, 0xf4, 0x82, 0x84, 0x61, b'b', 1, 0xf6, 0xf6, 0x84, 0x61, b'n',
        2, 0x82, 0, 9, 0xf6, 0x81, 0x83, 0x61, b'r', 4, 0xf6, 0x82, 0x83, 0x61, b'1', 0x82, 0xf5,
        0x82, 0, 4, 0x81, 0x61, b'x', 0x83, 0x61, b'2', 0x82, 0xf6, 0xf6, 0x81, 0x61, b'y',
    ];
    assert_eq!(table.encode(), bytes);
}

#[test]
fn other_bytes_are_refused_and_none_makes_the_reader_panic() {
    let table = random::table(&mut Chance(3), "first", 6, false);
    let good = table.encode();
    let mut longer = good.clone();
    longer.push(0);
    for bytes in [&longer[..], &good[..good.len() - 1], &[], &[0x9f; 40]] {
        assert_eq!(Table::decode(bytes).unwrap_err().code(), Code::BadRules);
    }
    for index in 0..good.len() {
        for byte in 0..=255 {
            let mut bytes = good.clone();
            bytes[index] = byte;
            if let Ok(table) = Table::decode(&bytes) {
                assert_eq!(table.encode(), bytes);
            }
        }
    }
}

#[test]
fn the_same_table_compiles_to_the_same_rules() {
    let table = random::table(&mut Chance(9), "first", 24, false);
    let (one, two) = (Rules::compile(table.clone()).unwrap(), Rules::compile(table).unwrap());
    assert_eq!(one.show_report(), two.show_report());
}
