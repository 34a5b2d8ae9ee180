output "pipeline" {
  description = "Names of what was made."
  value       = module.image_pipeline
}
