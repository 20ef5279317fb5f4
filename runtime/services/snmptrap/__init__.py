"""The SNMP trap integration."""
